// The little that the addon needs of Node-API: checked calls, argument reading, and object building.
#ifndef SLUICE_NAPI_H_
#define SLUICE_NAPI_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace sluice {

// Ends the process on a Node-API status that only a bug of ours or exhausted memory explains. An environment that is
// being torn down (a worker's `terminate()` may come at any moment) refuses calls too; that is let pass, since nobody
// will see the result.
void Verify(napi_env env, napi_status status, const char* location);

#define SLUICE_STRINGIFY_(x) #x
#define SLUICE_STRINGIFY(x) SLUICE_STRINGIFY_(x)
#define SLUICE_NAPI(env, call)                                                                                       \
  do {                                                                                                               \
    const napi_status sluice_status_ = (call);                                                                       \
    if (sluice_status_ != napi_ok) ::sluice::Verify((env), sluice_status_, __FILE__ ":" SLUICE_STRINGIFY(__LINE__)); \
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
  bool Double(size_t index, double* out) const {
    return napi_get_value_double(env_, values_[index], out) == napi_ok || Wrong(index, "a number");
  }
  bool Bool(size_t index, bool* out, bool optional = false) const {
    if (optional && IsUndefined(index)) return true;
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
  // A typed array of one type, which `what` names in the error.
  bool Typed(size_t index, napi_typedarray_type type, const char* what, Bytes* out) const {
    napi_typedarray_type found;
    if (napi_get_typedarray_info(env_, values_[index], &found, nullptr, nullptr, nullptr, nullptr) != napi_ok ||
        found != type) {
      return Wrong(index, what);
    }
    return View(index, out);
  }
  bool Function(size_t index) const {
    napi_valuetype type;
    SLUICE_NAPI(env_, napi_typeof(env_, values_[index], &type));
    return type == napi_function || Wrong(index, "a function");
  }

 private:
  bool IsUndefined(size_t index) const {
    napi_valuetype type;
    SLUICE_NAPI(env_, napi_typeof(env_, values_[index], &type));
    return type == napi_undefined;
  }
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
  if (optional && IsUndefined(index)) {
    *out = {};
    return true;
  }
  return ReadView(env_, values_[index], out) || Wrong(index, "a typed array");
}

inline napi_value Number(napi_env env, double value) {
  napi_value result = nullptr;
  SLUICE_NAPI(env, napi_create_double(env, value, &result));
  return result;
}
inline napi_value Int(napi_env env, int32_t value) {
  napi_value result = nullptr;
  SLUICE_NAPI(env, napi_create_int32(env, value, &result));
  return result;
}
inline napi_value String(napi_env env, const char* text) {
  napi_value result = nullptr;
  SLUICE_NAPI(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result));
  return result;
}
// A Uint8Array of `length` bytes, all yet to be written at `*data`.
inline napi_value NewBytes(napi_env env, size_t length, void** data) {
  napi_value buffer = nullptr;
  napi_value result = nullptr;
  SLUICE_NAPI(env, napi_create_arraybuffer(env, length, data, &buffer));
  SLUICE_NAPI(env, napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &result));
  return result;
}
inline napi_value Undefined(napi_env env) {
  napi_value result = nullptr;
  SLUICE_NAPI(env, napi_get_undefined(env, &result));
  return result;
}
inline void Set(napi_env env, napi_value object, const char* name, napi_value value) {
  SLUICE_NAPI(env, napi_set_named_property(env, object, name, value));
}

inline void SetFunction(napi_env env, napi_value object, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  SLUICE_NAPI(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function));
  Set(env, object, name, function);
}

// Throws a plain Error that names a caller's bug.
napi_value Throw(napi_env env, const char* text);

}  // namespace sluice

#endif  // SLUICE_NAPI_H_
