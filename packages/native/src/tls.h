#ifndef SLUICE_TLS_H_
#define SLUICE_TLS_H_
#include <node_api.h>
#include "addon.h"
namespace sluice {
// Adds `tlsContext` and `tlsEngine` to the exports.
void ExportTls(napi_env env, napi_value exports, Environment* environment);
}  // namespace sluice
#endif  // SLUICE_TLS_H_
