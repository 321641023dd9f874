// The quick start, through the C++ header.

#include <iostream>
#include <sealite.hpp>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  try {
    const auto unlock = sealite::unlock::reference("env:APP_KEY");
    auto vault = sealite::vault::create(argv[1], unlock);
    vault.define_table("users", {"email text sealed not null unique email", "name text sealed", "age integer sealed"});
    auto users = vault.table("users");
    const auto ada = users.insert({{"email", "Ada@Example.org"}, {"name", "Ada Lovelace"}, {"age", 36}});

    auto change = vault.begin();
    change.table("users").update(ada, {{"age", 37}});
    change.commit();
    {
      auto dropped = vault.begin();
      dropped.table("users").erase(ada);
    }  // Rolled back.

    const auto found = users.find("email", " ada@example.ORG");
    std::cout << found.text("name") << '\n';
    std::size_t seen = 0;
    users.scan([&](const sealite::rows &batch) { seen += batch.size(); });
    if (found["age"].integer() != 37 || users.count() != 1 || seen != 1 || users.get(ada + 1)) return 1;
    try {
      users.insert({{"email", "ada@example.org"}});
      return 1;
    } catch (const sealite::error &conflict) {
      if (conflict.status() != SEALITE_CONFLICT) return 1;
    }

    auto tokens = vault.tokens();
    const auto session = tokens.issue(SEALITE_TOKEN_SESSION, "user-1");  // Its text is for the cookie.
    const auto known = tokens.verify(session.text.view(), SEALITE_TOKEN_SESSION);
    if (known.text("subject") != "user-1") return 1;
    tokens.revoke_subject("user-1");
    try {
      tokens.verify(session.text.view(), SEALITE_TOKEN_SESSION);
      return 1;
    } catch (const sealite::error &rejected) {
      if (rejected.status() != SEALITE_TOKEN_REJECTED) return 1;
    }
    return 0;
  } catch (const sealite::error &error) {
    std::cerr << error.name() << ": " << error.what() << '\n';
    return 1;
  }
}
