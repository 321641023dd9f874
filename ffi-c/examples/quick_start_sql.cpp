// Seals people through SQL, in C++.

#include <iostream>
#include <sealite_sql.hpp>

static int run(const char *path) {
  auto vault = sealite::vault::create(path, sealite::unlock::reference("env:APP_KEY"));
  vault.define_table("people", {"email text sealed not null unique email", "name text sealed", "visits integer sealed"});
  sealite::connection db(vault);
  db.execute("CREATE TABLE pages (person INTEGER, path TEXT)");

  db.transact([&] {
    auto insert = db.prepare("INSERT INTO people (email, name, visits) VALUES (?, ?, ?)");
    insert.execute("Ada@Example.org", "Ada Lovelace", 3U);
    const auto ada = db.last_insert_rowid();
    insert.execute("grace@example.org", "", nullptr);
    db.execute("INSERT INTO pages VALUES (?, ?)", ada, std::string("/pricing"));
  });
  try {
    db.transact([&] {
      db.execute("DELETE FROM people");
      db.execute("INSERT INTO people (email) VALUES (?)", nullptr);
    });
    return 1;
  } catch (const sealite::error &error) {  // Rolled back.
    if (error.status() == SEALITE_OK) return 1;
  }

  // What a person types is bound, and never a part of the text.
  auto found = db.prepare("SELECT p.name, g.path FROM people p JOIN pages g ON g.person = p.id WHERE p.email = :email")
                   .bind(":email", " ada@example.ORG");
  for (const auto &row : found) std::cout << row["name"].text() << ' ' << row.at(1).text() << '\n';

  std::size_t empty = 0, rows = 0;
  auto all = db.prepare("SELECT name, visits FROM people WHERE id > ?").bind(1, std::size_t(0));
  for (int twice = 0; twice < 2; twice++)
    for (const auto &row : all) {
      rows++;
      empty += row["name"].text().empty() && row["visits"].is_null();
    }
  if (rows != 4 || empty != 2 || all.size() != 2 || all.name(1) != "visits") return 1;
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  try {
    return run(argv[1]);
  } catch (const sealite::error &error) {
    std::cerr << error.name() << ": " << error.what() << '\n';
    return 1;
  }
}
