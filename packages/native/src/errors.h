#ifndef SLUICE_ERRORS_H_
#define SLUICE_ERRORS_H_
#include <node_api.h>
namespace sluice {
// Adds `errorStrings` and `systemError` to the exports.
void ExportErrors(napi_env env, napi_value exports);
// Empties the calling thread's OpenSSL error queue and returns its length.
int ClearErrors();
// Moves the calling thread's OpenSSL error queue into an array of entries, oldest first; undefined when it is empty.
napi_value TakeErrors(napi_env env);
}  // namespace sluice
#endif  // SLUICE_ERRORS_H_
