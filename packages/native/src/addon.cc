// The addon's entry: what it exports, and the per-environment state. There is no static state: each worker thread
// that loads the addon gets its own.
#include "addon.h"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <uv.h>

#include <cstdio>

#include "errors.h"
#include "loop.h"
#include "napi.h"
#include "tls.h"

namespace sluice {

void Fatal(const char* location, napi_env env) {
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

namespace {

napi_value Versions(napi_env env) {
  napi_value versions;
  SLUICE_NAPI(env, napi_create_object(env, &versions));
  Set(env, versions, "opensslHeaders", Number(env, static_cast<double>(OPENSSL_VERSION_NUMBER)));
  Set(env, versions, "openssl", Number(env, static_cast<double>(OpenSSL_version_num())));
  Set(env, versions, "opensslText", String(env, OpenSSL_version(OPENSSL_VERSION)));
  Set(env, versions, "uv", Number(env, uv_version()));
  return versions;
}

// napi_set_instance_data's finalizer runs after every wrapped object's of the environment.
void DeleteEnvironment(napi_env, void* data, void*) { delete static_cast<Environment*>(data); }

}  // namespace

Environment* Environment::Get(napi_env env) {
  void* data = nullptr;
  SLUICE_NAPI(env, napi_get_instance_data(env, &data));
  return static_cast<Environment*>(data);
}

}  // namespace sluice

NAPI_MODULE_INIT() {
  auto* environment = new sluice::Environment();
  SLUICE_NAPI(env, napi_set_instance_data(env, environment, sluice::DeleteEnvironment, nullptr));
  sluice::ExportLoop(env, exports);
  sluice::ExportTls(env, exports, environment);
  sluice::ExportErrors(env, exports);
  sluice::Set(env, exports, "versions", sluice::Versions(env));
  return exports;
}
