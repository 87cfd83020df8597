// What never changes about an op: its name, the names of its inputs and outputs, and how it treats them.
// Everything here is a constant expression; safe to read from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace oxbow {

/// A set of numbers of inputs, or of outputs: `.may_overwrite = {0, 1}`.
class InputSet {
 public:
  static constexpr int max_tracked = 31;  ///< so many inputs have a bit each; the later ones share one
  constexpr InputSet() = default;
  constexpr InputSet(std::initializer_list<int> inputs) {
    for (int i : inputs) bits_ |= 1u << (i < max_tracked ? i : max_tracked);
  }
  static constexpr InputSet all() { return InputSet(~0u); }
  /// All inputs from number `first` on, however many there are.
  static constexpr InputSet from(int first) { return InputSet(first < max_tracked ? ~0u << first : 1u << max_tracked); }
  constexpr bool contains(int i) const { return (bits_ >> (i < max_tracked ? i : max_tracked)) & 1u; }
  constexpr bool empty() const { return bits_ == 0; }
  /// `i` is at most `max_tracked`.
  constexpr void insert(int i) { bits_ |= 1u << i; }

 private:
  explicit constexpr InputSet(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

/// The names of an op's inputs or outputs, in order: {"x", "kernel", "bias?"}, {"first", "others..."}. What a name ends
/// with says how many values it stands for:
///   "x"       exactly one
///   "x?"      one that may be absent. Of outputs: one that `run` may leave out when nobody reads it (`Run::wants`)
///   "x..."    any number; for the last name only
///   "x?..."   any number, each of which may be absent
/// A name that is none of these does not compile.
class Names {
 public:
  static constexpr std::size_t max_count = 16;

  constexpr Names() = default;
  constexpr Names(std::initializer_list<std::string_view> names) {
    if (names.size() > max_count) throw std::logic_error("an op names at most 16 inputs, and as many outputs");
    for (std::string_view name : names) {
      if (variadic_) throw std::logic_error("only the last name may end with \"...\"");
      variadic_ = cut(name, "...");
      const bool optional = cut(name, "?");
      if (!is_word(name)) throw std::logic_error("a name has small letters, digits and underscores");
      if (!optional && !variadic_) required_ = count_ + 1;
      if (optional) optional_ |= 1u << count_;
      names_[static_cast<std::size_t>(count_++)] = name;
    }
  }

  /// How many names there are.
  constexpr int size() const { return count_; }
  /// How many names stand for one value each: all, or all but the last.
  constexpr int fixed() const { return count_ - (variadic_ ? 1 : 0); }
  /// The number of values without those at the end that may be absent.
  constexpr int required() const { return required_; }
  constexpr bool variadic() const { return variadic_; }
  constexpr bool accepts(int values) const { return values >= required_ && (variadic_ || values <= count_); }
  /// Whether there is a value number `i`.
  constexpr bool has(int i) const { return i < count_ || variadic_; }
  /// Whether value number `i` may be absent.
  constexpr bool optional(int i) const { return has(i) && ((optional_ >> place(i)) & 1u); }
  constexpr bool any_optional() const { return optional_ != 0; }
  /// The name of value number `i`, without the marks.
  constexpr std::string_view operator[](int i) const { return names_[static_cast<std::size_t>(place(i))]; }
  /// The same for messages, where of any number each has its own: "bias", "others[2]"; "" without one.
  std::string of(int i) const {
    if (!has(i)) return {};
    const std::string name((*this)[i]);
    return variadic_ && i >= fixed() ? name + "[" + std::to_string(i - fixed()) + "]" : name;
  }
  /// How many values are accepted: "1 input", "2 to 4 inputs", "2 or more inputs".
  std::string counted(std::string_view what) const {
    const std::string most = std::to_string(count_);
    const std::string number = variadic_            ? std::to_string(required_) + " or more "
                               : required_ < count_ ? std::to_string(required_) + " to " + most + " "
                                                    : most + " ";
    return number + std::string(what) + (number == "1 " ? "" : "s");
  }

 private:
  constexpr int place(int i) const { return i < count_ || count_ == 0 ? i : count_ - 1; }
  static constexpr bool cut(std::string_view& name, std::string_view mark) {
    if (!name.ends_with(mark)) return false;
    name.remove_suffix(mark.size());
    return true;
  }
  static constexpr bool is_word(std::string_view name) {
    for (const char c : name)
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    return !name.empty();
  }

  std::array<std::string_view, max_count> names_ = {};
  int count_ = 0, required_ = 0;
  bool variadic_ = false;
  std::uint32_t optional_ = 0;  // a bit a name
};

struct OpInfo {
  std::string_view name;        ///< as text prints it: lower case, digits, underscores
  Names inputs = {};            ///< {"x", "kernel", "bias?"}: an absent one is an empty `Value`, and an absent `Type`
  Names outputs = {"y"};        ///< {"losses", "probabilities?"}
  InputSet may_overwrite = {};  ///< output 0 may take over the bytes of such an input if both have as many: element i
                                ///< is read only by the part that writes it, and not after
  InputSet shape_only = {};     ///< read for its type alone: keeps no memory alive, orders nothing
  InputSet by_value = {};       ///< its value is known while the graph is built (`infer` asks for it, see `Known`), and
                                ///< not read when it runs: such an op computes by `lower`
  InputSet any_dtype = {};      ///< read in every dtype as it is: never widened
  InputSet exact = {};          ///< of outputs: statistics, which keep their dtype where others may wait in 16 bits
                                ///< (ops/store_activations.h)
  bool can_fail = false;        ///< `run` may throw on data (a label out of range)
  bool any_layout = false;      ///< accepts inputs that are not row-major
  bool effect = false;          ///< more than its outputs matters: never merged with an equal node nor computed ahead

  /// Whether a kernel reads the bytes of input `i`.
  constexpr bool reads(int i) const { return !shape_only.contains(i) && !by_value.contains(i); }
};

}  // namespace oxbow
