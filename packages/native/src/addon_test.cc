// A second addon, for tests only and in no package: the calling thread's OpenSSL error queue, call by call, so that a
// model of it can be compared with the original, and junk be put in its way.
#include <openssl/err.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <forward_list>
#include <string>
#include <thread>
#include <vector>

#include "errors.h"
#include "napi.h"

// Internal to OpenSSL, but exported by Node: marks the newest entry as cleared without removing it.
extern "C" void err_clear_last_constant_time(int clear);

#ifdef __SANITIZE_ADDRESS__
// Not every compiler brings a header for it.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace sluice {
namespace {

// Between two calls from JavaScript anybody may change errno. So a value is put in place right before each operation
// and looked at right after it.
struct ErrnoProbe {
  int before = 0;
  int after = 0;
};

struct TestEnvironment {
  ErrnoProbe probe;
  // Data of entries that do not own it: nobody tells when it was the last.
  std::forward_list<std::string> lent_texts;
};

TestEnvironment* Instance(napi_env env) {
  void* data = nullptr;
  SLUICE_NAPI(env, napi_get_instance_data(env, &data));
  return static_cast<TestEnvironment*>(data);
}

ErrnoProbe* Probe(napi_env env) { return &Instance(env)->probe; }

class WithErrno {
 public:
  explicit WithErrno(napi_env env) : probe_(Probe(env)) { errno = probe_->before; }
  ~WithErrno() { probe_->after = errno; }
  WithErrno(const WithErrno&) = delete;
  WithErrno& operator=(const WithErrno&) = delete;

 private:
  ErrnoProbe* probe_;
};

napi_value SetErrno(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  int32_t value = 0;
  if (args.Int32(0, &value)) Probe(env)->before = value;
  return nullptr;
}

napi_value GetErrno(napi_env env, napi_callback_info) { return Int(env, Probe(env)->after); }

bool IsUndefined(napi_env env, napi_value value) {
  napi_valuetype type;
  SLUICE_NAPI(env, napi_typeof(env, value, &type));
  return type == napi_undefined;
}

// raise(code, file | undefined, line, func, data | undefined)
napi_value Raise(napi_env env, napi_callback_info info) {
  const Args<5> args(env, info);
  double number = 0;
  std::string file, func, data;
  int32_t line = 0;
  const bool has_place = !IsUndefined(env, args[1]);
  const bool has_data = !IsUndefined(env, args[4]);
  if (!args.Double(0, &number) || (has_data && !args.String(4, &data))) return nullptr;
  if (has_place && (!args.String(1, &file) || !args.Int32(2, &line) || !args.String(3, &func))) return nullptr;
  const auto code = static_cast<unsigned long>(static_cast<uint32_t>(number));
  const WithErrno with_errno(env);
  ERR_new();
  if (has_place) ERR_set_debug(file.c_str(), line, func.c_str());
  if (has_data) {
    ERR_set_error(ERR_GET_LIB(code), ERR_GET_REASON(code), "%s", data.c_str());
  } else {
    ERR_set_error(ERR_GET_LIB(code), ERR_GET_REASON(code), nullptr);
  }
  return nullptr;
}

using ReadAll = unsigned long (*)(const char**, int*, const char**, const char**, int*);

// get, peek, peekLast: the entry, or undefined when the queue is empty.
template <ReadAll Function>
napi_value Read(napi_env env, napi_callback_info) {
  const char* file = nullptr;
  const char* func = nullptr;
  const char* data = nullptr;
  int line = 0;
  int flags = 0;
  unsigned long code = 0;
  {
    const WithErrno with_errno(env);
    code = Function(&file, &line, &func, &data, &flags);
  }
  return code == 0 ? nullptr : MakeEntry(env, code, file, line, func, data, flags);
}

// Calls without arguments that answer with a number.
template <int (*Function)()>
napi_value Count(napi_env env, napi_callback_info) {
  int result = 0;
  {
    const WithErrno with_errno(env);
    result = Function();
  }
  return Int(env, result);
}

template <unsigned long (*Function)()>
napi_value Code(napi_env env, napi_callback_info) {
  unsigned long code = 0;
  {
    const WithErrno with_errno(env);
    code = Function();
  }
  return Number(env, static_cast<double>(code));
}

napi_value Clear(napi_env env, napi_callback_info) {
  const WithErrno with_errno(env);
  ERR_clear_error();
  return nullptr;
}

napi_value ClearLastConstantTime(napi_env env, napi_callback_info) {
  const WithErrno with_errno(env);
  err_clear_last_constant_time(1);
  return nullptr;
}

// addErrorData(first, second)
napi_value AddErrorData(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  std::string first, second;
  if (!args.String(0, &first) || !args.String(1, &second)) return nullptr;
  const WithErrno with_errno(env);
  ERR_add_error_data(2, first.c_str(), second.c_str());
  return nullptr;
}

// setErrorData(data, flags): with ERR_TXT_MALLOCED the entry owns it.
napi_value SetErrorData(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  std::string data;
  int32_t flags = 0;
  if (!args.String(0, &data) || !args.Int32(1, &flags)) return nullptr;
  char* text = nullptr;
  if ((flags & ERR_TXT_MALLOCED) != 0) {
    text = OPENSSL_strdup(data.c_str());
  } else {
    text = Instance(env)->lent_texts.emplace_front(std::move(data)).data();
  }
  const WithErrno with_errno(env);
  ERR_set_error_data(text, flags);
  return nullptr;
}

// addErrorText(separator, text)
napi_value AddErrorText(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  std::string separator, text;
  if (!args.String(0, &separator) || !args.String(1, &text)) return nullptr;
  const WithErrno with_errno(env);
  ERR_add_error_txt(separator.c_str(), text.c_str());
  return nullptr;
}

// errorStringN(code, size): the text, or undefined when the buffer was left as it was.
napi_value ErrorStringN(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  double code = 0;
  int32_t size = 0;
  if (!args.Double(0, &code) || !args.Int32(1, &size)) return nullptr;
  if (size < 0) return Throw(env, "errorStringN: size must not be negative");
  constexpr char kUntouched = '\x7f';
  std::vector<char> buffer(static_cast<size_t>(size) + 1, kUntouched);
  ERR_error_string_n(static_cast<uint32_t>(code), buffer.data(), static_cast<size_t>(size));
  return buffer[0] == kUntouched ? nullptr : String(env, buffer.data());
}

struct Printed {
  std::vector<std::string> lines;
  size_t lines_max;
};

// ERR_print_errors_cb stops when its callback answers 0 or less.
int PrintLine(const char* text, size_t length, void* data) {
  auto* printed = static_cast<Printed*>(data);
  printed->lines.emplace_back(text, length);
  return printed->lines.size() < printed->lines_max ? 1 : 0;
}

// printErrors(linesMax): the lines that were shown.
napi_value PrintErrors(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  int32_t lines_max = 0;
  if (!args.Int32(0, &lines_max)) return nullptr;
  Printed printed{{}, static_cast<size_t>(lines_max)};
  ERR_print_errors_cb(PrintLine, &printed);
  napi_value lines = nullptr;
  SLUICE_NAPI(env, napi_create_array(env, &lines));
  for (uint32_t index = 0; index < printed.lines.size(); index++) {
    SLUICE_NAPI(env, napi_set_element(env, lines, index, String(env, printed.lines[index].c_str())));
  }
  return lines;
}

struct State {
  ERR_STATE* state;
};

void FinalizeState(napi_env, void* data, void*) {
  auto* holder = static_cast<State*>(data);
  OSSL_ERR_STATE_free(holder->state);
  delete holder;
}

napi_value NewState(napi_env env, napi_callback_info) {
  auto* holder = new State{OSSL_ERR_STATE_new()};
  napi_value result = nullptr;
  SLUICE_NAPI(env, napi_create_external(env, holder, FinalizeState, nullptr, &result));
  return result;
}

State* GetState(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  void* data = nullptr;
  if (napi_get_value_external(env, args[0], &data) == napi_ok && static_cast<State*>(data)->state != nullptr) {
    return static_cast<State*>(data);
  }
  Throw(env, "not an error state, or a freed one");
  return nullptr;
}

template <auto Function>
napi_value WithState(napi_env env, napi_callback_info info) {
  State* holder = GetState(env, info);
  if (holder == nullptr) return nullptr;
  const WithErrno with_errno(env);
  Function(holder->state);
  return nullptr;
}

// spoilState(state): from now on no memory can be had for copies of its entries' data.
napi_value SpoilState(napi_env env, napi_callback_info info) {
  State* holder = GetState(env, info);
  if (holder == nullptr) return nullptr;
  for (size_t& size : holder->state->err_data_size) {
    if (size > 0) size = PTRDIFF_MAX;
  }
  return nullptr;
}

// What one thread reads of its queue, to be told on another.
struct ReadEntry {
  unsigned long code;
  std::string file, func, data;
  int line, flags;
};

// restoreElsewhere(state): the entries that a new thread finds after restoring the state, once it has appended to the
// newest of them. That thread's queue ends with it.
napi_value RestoreElsewhere(napi_env env, napi_callback_info info) {
  State* holder = GetState(env, info);
  if (holder == nullptr) return nullptr;
  std::vector<ReadEntry> found;
  std::thread([&found, holder] {
    OSSL_ERR_STATE_restore(holder->state);
    ERR_add_error_data(1, " on another thread");
    const char *file = nullptr, *func = nullptr, *data = nullptr;
    int line = 0, flags = 0;
    while (const unsigned long code = ERR_get_error_all(&file, &line, &func, &data, &flags)) {
      found.push_back({code, file, func, data, line, flags});
    }
  }).join();
  napi_value entries = nullptr;
  SLUICE_NAPI(env, napi_create_array_with_length(env, found.size(), &entries));
  for (uint32_t index = 0; index < found.size(); index++) {
    const ReadEntry& entry = found[index];
    const napi_value value =
        MakeEntry(env, entry.code, entry.file.c_str(), entry.line, entry.func.c_str(), entry.data.c_str(), entry.flags);
    SLUICE_NAPI(env, napi_set_element(env, entries, index, value));
  }
  return entries;
}

napi_value FreeState(napi_env env, napi_callback_info info) {
  State* holder = GetState(env, info);
  if (holder == nullptr) return nullptr;
  OSSL_ERR_STATE_free(holder->state);
  holder->state = nullptr;
  return nullptr;
}

// Bytes that malloc has given out in this process; 0 where the C library does not tell.
napi_value HeapBytes(napi_env env, napi_callback_info) {
#if defined(__SANITIZE_ADDRESS__)
  return Number(env, static_cast<double>(__sanitizer_get_current_allocated_bytes()));
#elif defined(__GLIBC__)
  const struct mallinfo2 heap = mallinfo2();
  return Number(env, static_cast<double>(heap.uordblks) + static_cast<double>(heap.hblkhd));
#else
  return Number(env, 0);
#endif
}

// Bytes outside its heap that V8 was told of.
napi_value ExternalBytes(napi_env env, napi_callback_info) {
  int64_t total = 0;
  SLUICE_NAPI(env, napi_adjust_external_memory(env, 0, &total));
  return Number(env, static_cast<double>(total));
}

void DeleteInstance(napi_env, void* data, void*) { delete static_cast<TestEnvironment*>(data); }

}  // namespace
}  // namespace sluice

NAPI_MODULE_INIT() {
  using namespace sluice;  // NOLINT: the macro's function is global
  SLUICE_NAPI(env, napi_set_instance_data(env, new TestEnvironment(), DeleteInstance, nullptr));
  LoadErrorTexts();
  SetFunction(env, exports, "raise", Raise);
  SetFunction(env, exports, "get", Read<ERR_get_error_all>);
  SetFunction(env, exports, "peek", Read<ERR_peek_error_all>);
  SetFunction(env, exports, "peekLast", Read<ERR_peek_last_error_all>);
  SetFunction(env, exports, "getCode", Code<ERR_get_error>);
  SetFunction(env, exports, "pop", Count<ERR_pop>);
  SetFunction(env, exports, "clear", Clear);
  SetFunction(env, exports, "clearLastConstantTime", ClearLastConstantTime);
  SetFunction(env, exports, "setMark", Count<ERR_set_mark>);
  SetFunction(env, exports, "popToMark", Count<ERR_pop_to_mark>);
  SetFunction(env, exports, "clearLastMark", Count<ERR_clear_last_mark>);
  SetFunction(env, exports, "countToMark", Count<ERR_count_to_mark>);
  SetFunction(env, exports, "addErrorData", AddErrorData);
  SetFunction(env, exports, "addErrorText", AddErrorText);
  SetFunction(env, exports, "setErrorData", SetErrorData);
  SetFunction(env, exports, "errorStringN", ErrorStringN);
  SetFunction(env, exports, "printErrors", PrintErrors);
  SetFunction(env, exports, "newState", NewState);
  SetFunction(env, exports, "saveState", WithState<OSSL_ERR_STATE_save>);
  SetFunction(env, exports, "saveStateToMark", WithState<OSSL_ERR_STATE_save_to_mark>);
  SetFunction(env, exports, "restoreState", WithState<OSSL_ERR_STATE_restore>);
  SetFunction(env, exports, "restoreElsewhere", RestoreElsewhere);
  SetFunction(env, exports, "spoilState", SpoilState);
  SetFunction(env, exports, "freeState", FreeState);
  SetFunction(env, exports, "setErrno", SetErrno);
  SetFunction(env, exports, "getErrno", GetErrno);
  SetFunction(env, exports, "heapBytes", HeapBytes);
  SetFunction(env, exports, "externalBytes", ExternalBytes);
  return exports;
}
