#include "napi.h"

namespace sluice {

void Verify(napi_env env, napi_status status, const char* location) {
  if (status == napi_pending_exception || status == napi_cannot_run_js || status == napi_closing) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  const char* text = info != nullptr && info->error_message != nullptr ? info->error_message : "Node-API call failed";
  napi_fatal_error(location, NAPI_AUTO_LENGTH, text, NAPI_AUTO_LENGTH);
}

bool ReadView(napi_env env, napi_value value, Bytes* out) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  size_t width = 1;
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array:
      width = 2;
      break;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      width = 4;
      break;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      width = 8;
      break;
    default:
      break;
  }
  *out = {static_cast<uint8_t*>(data), length * width};
  return true;
}

napi_value Throw(napi_env env, const char* text) {
  SLUICE_NAPI(env, napi_throw_error(env, "SLUICE_NATIVE_MISUSE", text));
  return nullptr;
}

}  // namespace sluice
