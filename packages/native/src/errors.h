// The calling thread's OpenSSL error queue, brought into JavaScript, and texts for codes.
#ifndef SLUICE_ERRORS_H_
#define SLUICE_ERRORS_H_

#include <node_api.h>

namespace sluice {

// Adds `errorStrings` and `systemError` to the exports.
void ExportErrors(napi_env env, napi_value exports);

// Has OpenSSL load the texts of all its reasons. Node loads the SSL library's only with its first TLS context.
void LoadErrorTexts();

// Empties the calling thread's OpenSSL error queue and returns how many entries it held.
int ClearErrors();

// Moves the calling thread's OpenSSL error queue into an array of entries ([code, file, line, func, data, flags]),
// oldest first. Returns nullptr when the queue is empty, which as a callback's result means undefined.
napi_value TakeErrors(napi_env env);

// `{ operation, entries }`: the name of the OpenSSL call that failed, and what it left in the queue.
napi_value Failure(napi_env env, const char* operation);

// One entry as an array. `data` and `flags` count only where `flags` say that there is text.
napi_value MakeEntry(napi_env env, unsigned long code, const char* file, int line, const char* func, const char* data,
                     int flags);

// Clears the queue on the way in and on the way out, for functions that report no entries.
class QuietErrors {
 public:
  QuietErrors() { ClearErrors(); }
  ~QuietErrors() { ClearErrors(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

}  // namespace sluice

#endif  // SLUICE_ERRORS_H_
