// The calling thread's OpenSSL error queue, brought into JavaScript, and texts for codes.
#ifndef SLUICE_ERRORS_H_
#define SLUICE_ERRORS_H_

#include <node_api.h>

namespace sluice {

// Adds `errorStrings` and `systemError` to the exports.
void ExportErrors(napi_env env, napi_value exports);

// Has OpenSSL load the texts of all its reasons. Node loads the SSL library's only with its first TLS context.
void LoadErrorTexts();

// One entry as an array. `data` and `flags` count only where `flags` say that there is text.
napi_value MakeEntry(napi_env env, unsigned long code, const char* file, int line, const char* func, const char* data,
                     int flags);

// What every call into OpenSSL is made in, and the one way to the calling thread's error queue. It begins by emptying
// the queue of what somebody else left there, so that this is not taken for the call's own; it ends with an empty
// queue, so that nobody else meets what the call left.
class ErrorBracket {
 public:
  ErrorBracket();
  ~ErrorBracket();
  ErrorBracket(const ErrorBracket&) = delete;
  ErrorBracket& operator=(const ErrorBracket&) = delete;

  // Entries of somebody else's that were found and dropped.
  int stale() const { return stale_; }

  // Moves what was raised into an array of entries ([code, file, line, func, data, flags]), oldest first. Returns
  // nullptr when there was nothing, which as a callback's result means undefined. To be the last that is done in the
  // bracket.
  napi_value Take(napi_env env);

  // `{ operation, entries }`: the name of the OpenSSL call that failed, and what it raised. Clearing up may follow.
  napi_value Failure(napi_env env, const char* operation);

  // What was raised so far in the innermost bracket is no failure: it passes.
  static void Pass();

  // The same if the newest error is this one; returns whether it was.
  static bool PassIf(int library, int reason);

 private:
  const int stale_;
  bool taken_ = false;
};

}  // namespace sluice

#endif  // SLUICE_ERRORS_H_
