// What `Op`, `Optimizer` and `Rate` share: a value of any type that satisfies a concept, held shared and immutable
// behind an interface. For each of the three there are
//
//   struct OpInterface : erased::Interface<OpInfo> {...};                 what all ops can be asked
//   template <OpType T> struct Model final : erased::Model<OpInterface, T> {...};    how a T answers
//   class Op : public erased::Any<OpInterface> {...};                     what users hold
//
// Thread safety: values; reading is safe from any thread.
#pragma once

#include <oxbow/graph/attribute.h>

#include <memory>
#include <string_view>
#include <typeinfo>

namespace oxbow::erased {

template <class Info>
struct Interface {
  virtual ~Interface() = default;
  /// `other` is the `self` of one with the same type.
  virtual bool equals(const void* other) const = 0;
  virtual AttrRecord attributes() const = 0;
  const void* self = nullptr;  ///< the value
  const Info* info = nullptr;
  const std::type_info* type = nullptr;
};

template <class I, class T>
struct Model : I {
  explicit Model(T value) : held(std::move(value)) {
    this->self = &held;
    this->info = &held.info;
    this->type = &typeid(T);
  }
  Model(const Model&) = delete;  // for `self` points into it
  Model& operator=(const Model&) = delete;
  bool equals(const void* other) const override { return *static_cast<const T*>(other) == held; }
  T held;
};

template <class I>
class Any {
 public:
  const auto& info() const { return *model_->info; }
  std::string_view name() const { return model_->info->name; }
  /// The value as a T, or null when it is of another type.
  template <class T>
  const T* as() const {
    return *model_->type == typeid(T) ? static_cast<const T*>(model_->self) : nullptr;
  }
  template <class T>
  bool is() const {
    return as<T>() != nullptr;
  }
  AttrRecord attributes() const { return model_->attributes(); }
  /// Exact: the same type, and equal as that type says.
  bool operator==(const Any& other) const {
    return model_ == other.model_ || (*model_->type == *other.model_->type && model_->equals(other.model_->self));
  }

 protected:
  explicit Any(std::shared_ptr<const I> model) : model_(std::move(model)) {}
  std::shared_ptr<const I> model_;
};

}  // namespace oxbow::erased
