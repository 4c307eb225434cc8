#include "errors.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <uv.h>

#include <cstring>
#include <iterator>

#include "napi.h"

namespace sluice {

namespace {

// Returns how many there were.
int Drop() {
  int count = 0;
  while (ERR_get_error() != 0) count++;
  return count;
}

}  // namespace

ErrorBracket::ErrorBracket() : stale_(Drop()) {}

ErrorBracket::~ErrorBracket() {
  if (!taken_) Drop();
}

void ErrorBracket::Pass() { Drop(); }

bool ErrorBracket::PassIf(int library, int reason) {
  const unsigned long newest = ERR_peek_last_error();
  if (ERR_GET_LIB(newest) != library || ERR_GET_REASON(newest) != reason) return false;
  Drop();
  return true;
}

void LoadErrorTexts() {
  const ErrorBracket bracket;
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, nullptr);
}

napi_value MakeEntry(napi_env env, unsigned long code, const char* file, int line, const char* func, const char* data,
                     int flags) {
  const bool is_text = (flags & ERR_TXT_STRING) != 0;
  const napi_value parts[] = {
      Number(env, static_cast<double>(code)),
      String(env, file == nullptr ? "" : file),
      Int(env, line),
      String(env, func == nullptr ? "" : func),
      String(env, is_text && data != nullptr ? data : ""),
      // Without text, ERR_TXT_MALLOCED says only that the ring's slot was in use before.
      Int(env, is_text ? flags : 0),
  };
  napi_value entry = nullptr;
  SLUICE_NAPI(env, napi_create_array_with_length(env, std::size(parts), &entry));
  for (uint32_t index = 0; index < std::size(parts); index++) {
    SLUICE_NAPI(env, napi_set_element(env, entry, index, parts[index]));
  }
  return entry;
}

namespace {

// Moves the queue into an array of entries, oldest first; nullptr when it is empty.
napi_value Entries(napi_env env) {
  if (ERR_peek_error() == 0) return nullptr;
  napi_value entries = nullptr;
  SLUICE_NAPI(env, napi_create_array(env, &entries));
  const char* file = nullptr;
  const char* func = nullptr;
  const char* data = nullptr;
  int line = 0;
  int flags = 0;
  uint32_t count = 0;
  while (const unsigned long code = ERR_get_error_all(&file, &line, &func, &data, &flags)) {
    // The strings stay the queue's: they are copied before the next call into OpenSSL.
    SLUICE_NAPI(env, napi_set_element(env, entries, count++, MakeEntry(env, code, file, line, func, data, flags)));
  }
  return entries;
}

}  // namespace

napi_value ErrorBracket::Take(napi_env env) {
  taken_ = true;
  return Entries(env);
}

napi_value ErrorBracket::Failure(napi_env env, const char* operation) {
  napi_value entries = Entries(env);
  if (entries == nullptr) SLUICE_NAPI(env, napi_create_array(env, &entries));
  napi_value failure = nullptr;
  SLUICE_NAPI(env, napi_create_object(env, &failure));
  Set(env, failure, "operation", String(env, operation));
  Set(env, failure, "entries", entries);
  return failure;
}

namespace {

napi_value Pair(napi_env env, const char* first, const char* second) {
  napi_value pair = nullptr;
  SLUICE_NAPI(env, napi_create_array_with_length(env, 2, &pair));
  SLUICE_NAPI(env, napi_set_element(env, pair, 0, String(env, first)));
  SLUICE_NAPI(env, napi_set_element(env, pair, 1, String(env, second)));
  return pair;
}

// Both only look tables up: the queue is not touched, so there is nothing to clear.
napi_value ErrorStrings(napi_env env, napi_callback_info info) {
  Args<1> args(env, info);
  double code = 0;
  if (!args.Double(0, &code)) return nullptr;
  const auto packed = static_cast<unsigned long>(static_cast<uint32_t>(code));
  const char* library = ERR_lib_error_string(packed);
  const char* reason = ERR_reason_error_string(packed);
  return Pair(env, library == nullptr ? "" : library, reason == nullptr ? "" : reason);
}

// strerror is not safe beside other threads, and strerror_r has two shapes.
#ifdef _WIN32
void SystemText(int error, char* buffer, size_t size) { strerror_s(buffer, size, error); }
#else
[[maybe_unused]] const char* Chosen(int failed, const char* buffer) { return failed == 0 ? buffer : ""; }
[[maybe_unused]] const char* Chosen(const char* text, const char*) { return text; }
void SystemText(int error, char* buffer, size_t size) {
  char scratch[256] = "";
  const char* text = Chosen(strerror_r(error, scratch, sizeof(scratch)), scratch);
  std::strncpy(buffer, text, size - 1);
  buffer[size - 1] = '\0';
}
#endif

napi_value SystemError(napi_env env, napi_callback_info info) {
  Args<1> args(env, info);
  int32_t error = 0;
  if (!args.Int32(0, &error)) return nullptr;
  char name[64] = "";
  char text[256] = "";
  uv_err_name_r(uv_translate_sys_error(error), name, sizeof(name));
  SystemText(error, text, sizeof(text));
  return Pair(env, name, text);
}

}  // namespace

void ExportErrors(napi_env env, napi_value exports) {
  LoadErrorTexts();
  SetFunction(env, exports, "errorStrings", ErrorStrings);
  SetFunction(env, exports, "systemError", SystemError);
}

}  // namespace sluice
