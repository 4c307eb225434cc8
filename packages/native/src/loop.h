#ifndef SLUICE_LOOP_H_
#define SLUICE_LOOP_H_
#include <node_api.h>
namespace sluice {
// Adds the constructor `Loop` to the exports.
void ExportLoop(napi_env env, napi_value exports);
}  // namespace sluice
#endif  // SLUICE_LOOP_H_
