// The addon's entry: what it exports, and the per-environment state. There is no static state: each worker thread
// that loads the addon gets its own.
#include "addon.h"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <uv.h>

#include "errors.h"
#include "loop.h"
#include "napi.h"
#include "tls_context.h"
#include "tls_engine.h"

namespace sluice {

namespace {

napi_value Versions(napi_env env) {
  napi_value versions = nullptr;
  SLUICE_NAPI(env, napi_create_object(env, &versions));
  Set(env, versions, "opensslHeaders", Number(env, static_cast<double>(OPENSSL_VERSION_NUMBER)));
  Set(env, versions, "openssl", Number(env, static_cast<double>(OpenSSL_version_num())));
  Set(env, versions, "opensslText", String(env, OpenSSL_version(OPENSSL_VERSION)));
  Set(env, versions, "uv", Number(env, uv_version()));
  return versions;
}

// napi_set_instance_data's finalizer runs after every wrapped object's of the environment. Node-API leaves references
// to those who made them, even then.
void DeleteEnvironment(napi_env env, void* data, void*) {
  auto* environment = static_cast<Environment*>(data);
  for (napi_ref reference : {environment->tls_context, environment->tls_engine}) {
    if (reference != nullptr) SLUICE_NAPI(env, napi_delete_reference(env, reference));
  }
  delete environment;
}

}  // namespace

Environment* Environment::Get(napi_env env) {
  void* data = nullptr;
  SLUICE_NAPI(env, napi_get_instance_data(env, &data));
  return static_cast<Environment*>(data);
}

napi_value Environment::NewInstance(napi_env env, napi_ref constructor) {
  napi_value function = nullptr;
  napi_value instance = nullptr;
  SLUICE_NAPI(env, napi_get_reference_value(env, constructor, &function));
  constructing = true;
  SLUICE_NAPI(env, napi_new_instance(env, function, 0, nullptr, &instance));
  constructing = false;
  return instance;
}

napi_value Environment::Construct(napi_env env, napi_callback_info info) {
  Args<1> args(env, info);
  if (!Get(env)->constructing) return Throw(env, "this class is not for `new`: use tlsContext or tlsEngine");
  return args.self();
}

}  // namespace sluice

NAPI_MODULE_INIT() {
  if (!sluice::CompatibleUv()) return sluice::Throw(env, "the running libuv does not match the addon's headers");
  auto* environment = new sluice::Environment();
  SLUICE_NAPI(env, napi_set_instance_data(env, environment, sluice::DeleteEnvironment, nullptr));
  sluice::ExportLoop(env, exports);
  sluice::ExportTlsContext(env, exports, environment);
  sluice::ExportTlsEngine(env, exports, environment);
  sluice::ExportErrors(env, exports);
  sluice::Set(env, exports, "versions", sluice::Versions(env));
  return exports;
}
