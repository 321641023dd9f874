// Sealite for C++17: the C interface with owners, exceptions and std::string_view. Header only.
//     sealite::vault vault = sealite::vault::create("app.db", sealite::unlock::reference("env:APP_KEY"));
//     vault.define_table("users", {"email text sealed not null unique email", "name text sealed"});
//     auto users = vault.table("users");
//     auto id = users.insert({{"email", "ada@example.org"}, {"name", "Ada Lovelace"}});
//     auto ada = users.get(id);
//     std::cout << ada->text("name");
// Objects own their handle and are moved, not copied. Every failure throws sealite::error. What is not wrapped is called
// through the C functions on handle(), with sealite::check around it.

#ifndef SEALITE_HPP
#define SEALITE_HPP

#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "sealite.h"

namespace sealite {
/// What a failed call throws. The message is safe to log.
class error : public std::runtime_error {
 public:
  error(sealite_status status, const char *message) : std::runtime_error(message), status_(status) {}
  sealite_status status() const noexcept { return status_; }
  const char *name() const noexcept { return sealite_status_name(status_); }  // "not_found"
 private:
  sealite_status status_;
};

/// Calls `work` with the place for an error object, and throws what it puts there.
template <class Work>
void check(Work &&work) {
  sealite_error *raised = nullptr;
  const sealite_status status = work(&raised);
  if (status == SEALITE_OK) return;
  const error thrown(status, sealite_error_message(raised));
  sealite_error_free(raised);
  throw thrown;
}

/// Owns a handle.
template <class Handle, void (*Free)(Handle *)>
class owner {
 public:
  explicit owner(Handle *handle = nullptr) noexcept : handle_(handle) {}
  owner(owner &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  owner &operator=(owner &&other) noexcept {
    owner taken(std::move(other));
    std::swap(handle_, taken.handle_);
    return *this;
  }
  owner(const owner &) = delete;
  owner &operator=(const owner &) = delete;
  ~owner() { Free(handle_); }
  using raw = Handle;
  Handle *handle() const noexcept { return handle_; }
 private:
  Handle *handle_;
};

/// As check(), with the place for a result before that for an error object.
template <class Result, class Work>
Result got(Work &&work) {
  Result result{};
  check([&](auto e) { return work(&result, e); });
  return result;
}

/// As got(), of a handle: owned.
template <class Owner, class Work>
Owner made(Work &&work) {
  return Owner(got<typename Owner::raw *>(work));
}

/// Integers, and enumerations that convert to them.
template <class Type>
inline constexpr bool is_number = (std::is_integral_v<Type> && !std::is_same_v<Type, bool>) ||
                                  (std::is_enum_v<Type> && std::is_convertible_v<Type, std::int64_t>);

/// A value, borrowed: what it was made from must outlive the call, what was read from lives as long as its rows.
class value {
 public:
  value() : raw_(sealite_null()) {}
  value(std::nullptr_t) : raw_(sealite_null()) {}
  /// Of any type of integers, or an enumeration that converts to one; one of more than 63 bits throws.
  template <class Integer, std::enable_if_t<is_number<Integer>, int> = 0>
  value(Integer integer) : raw_(sealite_integer(static_cast<std::int64_t>(integer))) {
    if (integer > Integer(0) && raw_.integer <= 0) throw error(SEALITE_TYPE_MISMATCH, "an integer of more than 63 bits");
  }
  value(double real) : raw_(sealite_real(real)) {}
  value(bool boolean) : raw_(sealite_boolean(boolean)) {}
  value(const char *text) : raw_(sealite_text(text, SEALITE_NTS)) {}
  value(std::string_view text) : raw_(sealite_text(text.data(), text.size())) {}
  value(const std::string &text) : value(std::string_view(text)) {}
  explicit value(const sealite_value &raw) : raw_(raw) {}
  static value blob(std::string_view bytes) { return value(sealite_blob(bytes.data(), bytes.size())); }
  static value json(std::string_view text) { return value(sealite_json(text.data(), text.size())); }

  bool is_null() const noexcept { return raw_.kind == SEALITE_NULL; }
  std::int64_t integer() const { return expect(SEALITE_INTEGER).integer; }
  double real() const { return expect(SEALITE_REAL).real; }
  bool boolean() const { return expect(SEALITE_BOOLEAN).integer != 0; }
  std::string_view text() const { return bytes(expect(raw_.kind == SEALITE_JSON ? SEALITE_JSON : SEALITE_TEXT)); }
  std::string_view blob() const { return bytes(expect(SEALITE_BLOB)); }
  const sealite_value *raw() const noexcept { return &raw_; }

 private:
  const sealite_value &expect(std::int32_t kind) const {
    if (raw_.kind != kind) throw error(SEALITE_TYPE_MISMATCH, "the value is of another type");
    return raw_;
  }
  static std::string_view bytes(const sealite_value &raw) {
    return raw.length == 0 ? std::string_view() : std::string_view(static_cast<const char *>(raw.data), raw.length);
  }
  sealite_value raw_;
};

/// Rows, of a table or of any other result. They wipe themselves: reading from rows that nobody keeps does not compile. Through
/// the -> of a std::optional that nobody keeps (`users.get(id)->text("name")`) it does: keep what get() returns in a variable.
class rows : public owner<sealite_rows, sealite_rows_free> {
 public:
  using owner::owner;
  std::size_t size() const { return got<std::size_t>([&](auto m, auto e) { return sealite_rows_count(handle(), m, e); }); }
  value at(std::size_t index, std::string_view column) const & {
    const auto read = [&](auto m, auto e) { return sealite_rows_value(handle(), index, column.data(), column.size(), m, e); };
    return value(got<sealite_value>(read));
  }
  value operator[](std::string_view column) const & { return at(0, column); }
  /// Of the first row.
  std::string_view text(std::string_view column) const & { return at(0, column).text(); }
  value at(std::size_t index, std::string_view column) const && = delete;
  value operator[](std::string_view column) const && = delete;
  std::string_view text(std::string_view column) const && = delete;
};

/// Bytes that wipe themselves.
class bytes : public owner<sealite_bytes, sealite_bytes_free> {
 public:
  using owner::owner;
  std::string_view view() const & { return {static_cast<const char *>(sealite_bytes_data(handle())), sealite_bytes_length(handle())}; }
  std::string_view view() const && = delete;
};

/// A secret that opens one kind of slot.
class unlock : public owner<sealite_unlock, sealite_unlock_free> {
 public:
  using owner::owner;
  static unlock reference(std::string_view where) { return make(sealite_unlock_reference, where); }
  static unlock key_text(std::string_view text) { return make(sealite_unlock_key_text, text); }
  static unlock recovery_code(std::string_view code) { return make(sealite_unlock_recovery_code, code); }
  static unlock passphrase(std::string_view text) {
    return made<unlock>([&](auto m, auto e) { return sealite_unlock_passphrase(text.data(), text.size(), 0, 0, 0, m, e); });
  }

 private:
  template <class Function>
  static unlock make(Function function, std::string_view text) {
    return made<unlock>([&](auto m, auto e) { return function(text.data(), text.size(), m, e); });
  }
};

/// Names and values of columns.
using columns = std::initializer_list<std::pair<std::string_view, value>>;

/// A sealed table.
class table : public owner<sealite_table, sealite_table_free> {
 public:
  using owner::owner;
  std::int64_t insert(columns given) {
    const auto values = built(given);
    return got<std::int64_t>([&](auto m, auto e) { return sealite_table_insert(handle(), values.handle(), m, e); });
  }
  bool update(const value &id, columns given) {
    const auto values = built(given);
    return got<bool>([&](auto m, auto e) { return sealite_table_update(handle(), id.raw(), values.handle(), m, e); });
  }
  bool erase(const value &id) {
    return got<bool>([&](auto m, auto e) { return sealite_table_delete(handle(), id.raw(), m, e); });
  }
  std::optional<rows> get(const value &id) {
    auto found = made<rows>([&](auto m, auto e) { return sealite_table_get(handle(), id.raw(), m, e); });
    return found.handle() == nullptr ? std::nullopt : std::optional<rows>(std::move(found));
  }
  rows find(std::string_view column, const value &wanted) {
    return made<rows>([&](auto m, auto e) {
      return sealite_table_find(handle(), column.data(), column.size(), wanted.raw(), m, e);
    });
  }
  std::uint64_t count() { return got<std::uint64_t>([&](auto m, auto e) { return sealite_table_count(handle(), m, e); }); }
  /// Calls `each` with every batch of rows.
  template <class Each>
  void scan(Each &&each) {
    using cursors = owner<sealite_cursor, sealite_cursor_free>;
    const auto cursor = made<cursors>([&](auto m, auto e) { return sealite_table_scan(handle(), m, e); });
    for (;;) {
      auto batch = made<rows>([&](auto m, auto e) { return sealite_cursor_next(cursor.handle(), m, e); });
      if (batch.handle() == nullptr) return;
      each(std::move(batch));
    }
  }

 private:
  static owner<sealite_values, sealite_values_free> built(columns given) {
    auto values = made<owner<sealite_values, sealite_values_free>>(sealite_values_create);
    for (const auto &[name, cell] : given)
      check([&, n = name, c = cell](auto e) {
        return sealite_values_set(values.handle(), n.data(), n.size(), c.raw(), e);
      });
    return values;
  }
};

/// A transaction: rolled back where it goes without commit().
class transaction : public owner<sealite_transaction, sealite_transaction_free> {
 public:
  using owner::owner;
  sealite::table table(std::string_view name) {
    return made<sealite::table>([&](auto m, auto e) { return sealite_transaction_table(handle(), name.data(), name.size(), m, e); });
  }
  void commit() { check([&](auto e) { return sealite_transaction_commit(handle(), e); }); }
};

/// A token just issued: its text, given out this once, and what is known of it.
struct issued {
  bytes text;
  rows token;
};

/// Tokens. What does not hold throws an error of SEALITE_TOKEN_REJECTED.
class tokens : public owner<sealite_tokens, sealite_tokens_free> {
 public:
  using owner::owner;
  /// For more than a subject make a sealite_token_request.
  issued issue(sealite_token_kind kind, std::string_view subject) {
    const auto request = made<owner<sealite_token_request, sealite_token_request_free>>(
        [&](auto m, auto e) { return sealite_token_request_create(kind, m, e); });
    const auto raw = request.handle();
    check([&](auto e) { return sealite_token_request_set_subject(raw, subject.data(), subject.size(), e); });
    sealite_rows *known = nullptr;
    auto text = made<bytes>([&](auto m, auto e) { return sealite_tokens_issue(handle(), raw, m, &known, e); });
    return {std::move(text), rows(known)};
  }
  rows verify(std::string_view text, std::int32_t kind) { return use(sealite_tokens_verify, text, kind); }
  rows consume(std::string_view text, std::int32_t kind) { return use(sealite_tokens_consume, text, kind); }
  void revoke_subject(std::string_view subject) {
    check([&](auto e) { return sealite_tokens_revoke_subject(handle(), subject.data(), subject.size(), e); });
  }

 private:
  template <class Function>
  rows use(Function function, std::string_view text, std::int32_t kind) {
    return made<rows>([&](auto m, auto e) {
      return function(handle(), text.data(), text.size(), &kind, 1, nullptr, 0, m, e);
    });
  }
};

/// A vault.
class vault : public owner<sealite_vault, sealite_vault_free> {
 public:
  using owner::owner;
  static vault create(std::string_view path, const unlock &with) { return make(sealite_vault_create, path, with); }
  static vault open(std::string_view path, const unlock &with) { return make(sealite_vault_open, path, with); }
  static vault in_memory() { return made<vault>(sealite_vault_in_memory); }
  /// Columns are specifications: see sealite_definition_add_column().
  bool define_table(std::string_view name, std::initializer_list<std::string_view> specifications) {
    const auto definition = made<owner<sealite_definition, sealite_definition_free>>(
        [&](auto m, auto e) { return sealite_definition_create(name.data(), name.size(), m, e); });
    const auto raw = definition.handle();
    for (const auto column : specifications)
      check([&](auto e) { return sealite_definition_add_column(raw, column.data(), column.size(), e); });
    return got<bool>([&](auto m, auto e) { return sealite_vault_define_table(handle(), raw, m, e); });
  }
  sealite::table table(std::string_view name) {
    return made<sealite::table>([&](auto m, auto e) { return sealite_vault_table(handle(), name.data(), name.size(), m, e); });
  }
  sealite::transaction begin() {
    return made<sealite::transaction>([&](auto m, auto e) { return sealite_vault_begin(handle(), m, e); });
  }
  sealite::tokens tokens() {
    return made<sealite::tokens>([&](auto m, auto e) { return sealite_vault_tokens(handle(), m, e); });
  }

 private:
  template <class Function>
  static vault make(Function function, std::string_view path, const unlock &with) {
    return made<vault>([&](auto m, auto e) { return function(path.data(), path.size(), with.handle(), nullptr, m, e); });
  }
};

}  // namespace sealite

#endif  // SEALITE_HPP
