// What one environment (the main thread, or a worker) keeps for the addon.
#ifndef SLUICE_ADDON_H_
#define SLUICE_ADDON_H_

#include <node_api.h>
#include <openssl/bio.h>

#include <memory>

namespace sluice {

struct Environment {
  static Environment* Get(napi_env env);
  // Makes an instance of a class of this addon's; nullptr when an exception is pending.
  napi_value NewInstance(napi_env env, napi_ref constructor);
  // The classes' constructor: refuses everybody but NewInstance, so that JavaScript cannot make empty shells.
  static napi_value Construct(napi_env env, napi_callback_info info);

  // Constructors of the TLS classes, kept to make instances from functions. References are owned by the environment.
  napi_ref tls_context = nullptr;
  napi_ref tls_engine = nullptr;
  // The kind of BIO that engines borrow their callers' memory with; made with the first of them.
  std::shared_ptr<BIO_METHOD> bio_method;
  bool constructing = false;
};

}  // namespace sluice

#endif  // SLUICE_ADDON_H_
