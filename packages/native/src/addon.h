// What one environment (the main thread, or a worker) keeps for the addon.
#ifndef SLUICE_ADDON_H_
#define SLUICE_ADDON_H_

#include <node_api.h>

namespace sluice {

struct Environment {
  static Environment* Get(napi_env env);
  // Constructors of the TLS classes, kept to make instances from functions. References are owned by the environment.
  napi_ref tls_context = nullptr;
  napi_ref tls_engine = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_ADDON_H_
