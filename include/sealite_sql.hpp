// Sealite's SQL for C++17: connections, prepared statements and transactions. Header only, beside sealite.hpp.
//
//     sealite::connection db(vault);
//     auto insert = db.prepare("INSERT INTO users (email, name) VALUES (?, ?)");
//     insert.execute("ada@example.org", "Ada Lovelace");
//     auto select = db.prepare("SELECT name FROM users WHERE email = :email").bind(":email", "ada@example.org");
//     for (const auto &row : select) std::cout << row["name"].text();
//
// Every failure throws sealite::error. A statement is used by one thread at a time. It may outlive its
// connection, but is of no use then: stepping it throws one of SEALITE_CLOSED.

#ifndef SEALITE_SQL_HPP
#define SEALITE_SQL_HPP

#include <cstddef>
#include <iterator>

#include "sealite.hpp"

namespace sealite {

/// A prepared statement. In a range-for it runs from its beginning; a row, and what was read from it, lives until the next.
class stmt : public owner<sealite_stmt, sealite_stmt_free> {
 public:
  using owner::owner;

  /// Binds a parameter by its number, from 1, or by its name, with its `:`, `@` or `$`. The value is copied.
  stmt &bind(std::size_t index, const value &bound) & {
    check([&](auto e) { return sealite_stmt_bind(handle(), index, bound.raw(), e); });
    return *this;
  }
  stmt &bind(std::string_view name, const value &bound) & {
    check([&](auto e) { return sealite_stmt_bind_name(handle(), name.data(), name.size(), bound.raw(), e); });
    return *this;
  }
  template <class Parameter>
  stmt bind(Parameter parameter, const value &bound) && {
    return std::move(static_cast<stmt &>(*this).bind(parameter, bound));
  }
  /// Goes to the next row; false at the end.
  bool step() {
    return got<bool>([&](auto m, auto e) { return sealite_stmt_step(handle(), m, e); });
  }
  void reset() {
    check([&](auto e) { return sealite_stmt_reset(handle(), e); });
  }
  std::size_t size() const {
    return got<std::size_t>([&](auto m, auto e) { return sealite_stmt_column_count(handle(), m, e); });
  }
  std::string_view name(std::size_t position) const & {
    const char *start = nullptr;
    const auto length = got<std::size_t>(
        [&](auto m, auto e) { return sealite_stmt_column_name(handle(), position, &start, m, e); });
    return {start, length};
  }
  /// A value of the row that it stands on, by the column's position, from 0, or by its name.
  value at(std::size_t position) const & {
    return value(got<sealite_value>([&](auto m, auto e) { return sealite_stmt_value(handle(), position, m, e); }));
  }
  value operator[](std::string_view column) const & {
    for (std::size_t position = 0; position < size(); position++)
      if (name(position) == column) return at(position);
    throw error(SEALITE_SQL, "the statement has no such column");
  }
  std::string_view name(std::size_t position) const && = delete;
  value at(std::size_t position) const && = delete;
  value operator[](std::string_view column) const && = delete;
  /// Binds every parameter and runs it to its end: how many rows it has changed.
  template <class... Values>
  std::uint64_t execute(const Values &...values) {
    const sealite_value all[] = {*value(values).raw()..., sealite_null()};
    return got<std::uint64_t>(
        [&](auto m, auto e) { return sealite_stmt_execute(handle(), all, sizeof...(values), m, e); });
  }

  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = stmt;
    using difference_type = std::ptrdiff_t;
    using pointer = const stmt *;
    using reference = const stmt &;
    explicit iterator(stmt *over) : over_(over) { ++*this; }
    reference operator*() const { return *over_; }
    pointer operator->() const { return over_; }
    iterator &operator++() {
      if (over_ != nullptr && !over_->step()) over_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const iterator &other) const { return over_ == other.over_; }
    bool operator!=(const iterator &other) const { return over_ != other.over_; }

   private:
    stmt *over_;
  };
  iterator begin() {
    reset();
    return iterator(this);
  }
  iterator end() { return iterator(nullptr); }
};

/// A connection: sealed tables and the application's own alike are tables on it.
class connection : public owner<sealite_connection, sealite_connection_free> {
 public:
  using owner::owner;
  explicit connection(const vault &of)
      : owner(got<sealite_connection *>([&](auto m, auto e) { return sealite_vault_connect(of.handle(), m, e); })) {}
  stmt prepare(std::string_view sql) {
    return made<stmt>([&](auto m, auto e) {
      return sealite_connection_prepare(handle(), sql.data(), sql.size(), m, nullptr, e);
    });
  }
  /// One statement, run once.
  template <class... Values>
  std::uint64_t execute(std::string_view sql, const Values &...values) {
    return prepare(sql).execute(values...);
  }
  std::int64_t last_insert_rowid() {
    return got<std::int64_t>([&](auto m, auto e) { return sealite_connection_last_insert_rowid(handle(), m, e); });
  }
  /// From any thread.
  void interrupt() {
    check([&](auto e) { return sealite_connection_interrupt(handle(), e); });
  }
  /// Runs `work` between BEGIN IMMEDIATE and COMMIT, or ROLLBACK where it throws.
  template <class Work>
  void transact(Work &&work) {
    execute("BEGIN IMMEDIATE");
    try {
      work();
      execute("COMMIT");
    } catch (...) {
      // What led here is the exception to be seen.
      try {
        if (got<bool>([&](auto m, auto e) { return sealite_connection_in_transaction(handle(), m, e); })) execute("ROLLBACK");
      } catch (const error &) {
      }
      throw;
    }
  }
};

}  // namespace sealite

#endif  // SEALITE_SQL_HPP
