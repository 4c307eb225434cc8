// The little that the addon needs of Node-API: checked calls, argument reading, and object building.
#ifndef SLUICE_NAPI_H_
#define SLUICE_NAPI_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace sluice {

// A failed Node-API call while building a result means that the environment is going away or that memory is out.
// Neither can be answered, and going on would use garbage.
[[noreturn]] void Fatal(const char* location, napi_env env);

#define SLUICE_STRINGIFY_(x) #x
#define SLUICE_STRINGIFY(x) SLUICE_STRINGIFY_(x)
#define SLUICE_NAPI(env, call)                                            \
  do {                                                                    \
    if ((call) != napi_ok)                                                \
      ::sluice::Fatal(__FILE__ ":" SLUICE_STRINGIFY(__LINE__), (env));    \
  } while (false)

// A view of a typed array's bytes. Valid until JavaScript runs again.
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

// The arguments of one call. A getter that meets a wrong type throws a TypeError and returns false; the caller then
// returns nullptr at once.
template <size_t N>
class Args {
 public:
  Args(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = N;
    SLUICE_NAPI(env, napi_get_cb_info(env, info, &count, values_, &self_, &data_));
    count_ = count;
  }
  napi_value self() const { return self_; }
  void* data() const { return data_; }
  size_t count() const { return count_; }
  napi_value operator[](size_t index) const { return values_[index]; }

  bool Int32(size_t index, int32_t* out) const {
    return napi_get_value_int32(env_, values_[index], out) == napi_ok || Wrong(index, "a number");
  }
  bool Bool(size_t index, bool* out) const {
    return napi_get_value_bool(env_, values_[index], out) == napi_ok || Wrong(index, "a boolean");
  }
  bool String(size_t index, std::string* out) const {
    size_t length = 0;
    if (napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &length) != napi_ok) {
      return Wrong(index, "a string");
    }
    out->resize(length);
    SLUICE_NAPI(env_, napi_get_value_string_utf8(env_, values_[index], out->data(), length + 1, &length));
    return true;
  }
  // Any typed array. With `optional`, undefined gives an empty view.
  bool View(size_t index, Bytes* out, bool optional = false) const;

 private:
  bool Wrong(size_t index, const char* what) const {
    std::string text = "argument " + std::to_string(index) + " must be " + what;
    SLUICE_NAPI(env_, napi_throw_type_error(env_, "SLUICE_NATIVE_ARGUMENT", text.c_str()));
    return false;
  }
  napi_env env_;
  size_t count_ = 0;
  napi_value values_[N] = {};
  napi_value self_ = nullptr;
  void* data_ = nullptr;
};

bool ReadView(napi_env env, napi_value value, Bytes* out);

template <size_t N>
bool Args<N>::View(size_t index, Bytes* out, bool optional) const {
  if (optional) {
    napi_valuetype type;
    SLUICE_NAPI(env_, napi_typeof(env_, values_[index], &type));
    if (type == napi_undefined) {
      *out = {};
      return true;
    }
  }
  return ReadView(env_, values_[index], out) || Wrong(index, "a typed array");
}

inline napi_value Number(napi_env env, double value) {
  napi_value result;
  SLUICE_NAPI(env, napi_create_double(env, value, &result));
  return result;
}
inline napi_value Int(napi_env env, int32_t value) {
  napi_value result;
  SLUICE_NAPI(env, napi_create_int32(env, value, &result));
  return result;
}
inline napi_value String(napi_env env, const char* text) {
  napi_value result;
  SLUICE_NAPI(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result));
  return result;
}
inline napi_value Undefined(napi_env env) {
  napi_value result;
  SLUICE_NAPI(env, napi_get_undefined(env, &result));
  return result;
}
inline void Set(napi_env env, napi_value object, const char* name, napi_value value) {
  SLUICE_NAPI(env, napi_set_named_property(env, object, name, value));
}

// Throws a plain Error that names a caller's bug.
napi_value Throw(napi_env env, const char* text);

}  // namespace sluice

#endif  // SLUICE_NAPI_H_
