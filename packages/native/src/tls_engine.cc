#include "tls_engine.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <iterator>
#include <utility>

#include "borrowing_store.h"
#include "errors.h"
#include "napi.h"
#include "pair_store.h"

namespace sluice {
namespace {

// TlsOp and TlsResult of binding.ts.
enum Op { kMove, kHandshake, kRead, kWrite, kShutdown, kEof, kKeyUpdate };
enum Result {
  kRet,
  kSslError,
  kConsumed,
  kProduced,
  kTransferred,
  kPendingBefore,
  kPendingAfter,
  kPendingOut,
  kPendingIn,
  kRoomIn,
  kHasPending,
  kShutdownState,
  kInitFinished,
  kStaleEntries,
  kAlerts,
  kCalls,
  kResultLength
};

bool IsAddress(const std::string& name) { return OctetsOwned(a2i_IPADDRESS(name.c_str())) != nullptr; }

}  // namespace

const char* TlsEngine::Open(size_t store_bytes, const std::string& servername) {
  ssl_.reset(SSL_new(context_->ssl_context.get()));
  if (!ssl_) return "SSL_new";
  BIO* bio = store_->Open(store_bytes);
  if (bio == nullptr) return "BIO_new";
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_info_callback(ssl_.get(), NoteAlert);
  if (context_->server) {
    SSL_set_accept_state(ssl_.get());
    return nullptr;
  }
  SSL_set_connect_state(ssl_.get());
  return servername.empty() ? nullptr : ExpectPeer(servername);
}

// The name is checked with the certificate chain, and so matters to the verify result in every verify mode. RFC 6066
// allows no addresses in SNI.
const char* TlsEngine::ExpectPeer(const std::string& servername) {
  if (IsAddress(servername)) {
    const int done = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), servername.c_str());
    return done == 1 ? nullptr : "X509_VERIFY_PARAM_set1_ip_asc";
  }
  ErrorBracket::Pass();  // that it is no address
  SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (SSL_set1_host(ssl_.get(), servername.c_str()) != 1) return "SSL_set1_host";
  return SSL_set_tlsext_host_name(ssl_.get(), servername.c_str()) == 1 ? nullptr : "SSL_set_tlsext_host_name";
}

void TlsEngine::Close() {
  ssl_.reset();
  store_.reset();
}

void TlsEngine::NoteAlert(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0) return;
  const int sent = (where & SSL_CB_WRITE) != 0 ? 1 : 0;
  static_cast<TlsEngine*>(SSL_get_app_data(ssl))->alerts_.Note({sent, value >> 8, value & 0xff});
}

TlsEngine::Call TlsEngine::Perform(int op, const Region& data, bool fed_all) {
  SSL* ssl = ssl_.get();
  Call call;
  errno = 0;
  switch (op) {
    case kHandshake:
      call.ret = SSL_do_handshake(ssl);
      break;
    case kRead:
      call.ret = SSL_read_ex(ssl, data.data, data.length, &call.transferred);
      break;
    case kWrite:
      call.ret = SSL_write_ex(ssl, data.data, data.length, &call.transferred);
      break;
    case kShutdown:
      call.ret = SSL_shutdown(ssl);
      // 0 is no failure: close_notify is sent, the peer's is not here yet. SSL_get_error would call it one.
      if (call.ret == 0) return call;
      break;
    case kKeyUpdate:
      call.ret = SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
      break;
    case kEof:
      call.ret = fed_all && store_->EndInput() ? 1 : 0;
      return call;
    default:
      return call;
  }
  call.ssl_error = SSL_get_error(ssl, call.ret);
  return call;
}

napi_value TlsEngine::Step(napi_env env, int op, Region input, Region data, Region output, int32_t* results) {
  const bool is_call = op != kMove && op != kEof;
  const size_t offered = input.length, room = output.length;
  size_t transferred = 0, pending_before = 0, pending_after = 0;
  int stale = 0, calls = 0;
  napi_value entries = nullptr;
  Call call;
  bool again = false;
  do {
    store_->Before(&input, &output);
    ErrorBracket bracket;
    if (!again) pending_before = store_->pending_out();
    call = Perform(op, data, input.length == 0);
    entries = bracket.Take(env);
    stale += bracket.stale();
    pending_after = store_->pending_out();
    store_->After(&input, &output);
    transferred += call.transferred;
    if (is_call) calls++;
    if (op == kRead) data.Skip(call.transferred);
    again = op == kRead && call.ret == 1 && data.length > 0;
  } while (again);

  const auto set = [results](Result index, size_t value) { results[index] = static_cast<int32_t>(value); };
  results[kRet] = call.ret;
  results[kSslError] = call.ssl_error;
  set(kConsumed, offered - input.length);
  set(kProduced, room - output.length);
  set(kTransferred, transferred);
  set(kPendingBefore, pending_before);
  set(kPendingAfter, pending_after);
  set(kPendingOut, store_->pending_out());
  set(kPendingIn, store_->pending_in());
  set(kRoomIn, store_->room_in());
  results[kHasPending] = SSL_has_pending(ssl_.get());
  results[kShutdownState] = SSL_get_shutdown(ssl_.get());
  results[kInitFinished] = SSL_is_init_finished(ssl_.get());
  results[kStaleEntries] = stale;
  set(kAlerts, alerts_.noted());
  results[kCalls] = calls;
  return entries;
}

napi_value TlsEngine::Info(napi_env env) const {
  SSL* ssl = ssl_.get();
  const unsigned char* alpn = nullptr;
  unsigned int alpn_length = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_length);
  napi_value alpn_text = nullptr;
  SLUICE_NAPI(env, napi_create_string_latin1(env, reinterpret_cast<const char*>(alpn), alpn_length, &alpn_text));
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const char* servername = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const long verify_result = SSL_get_verify_result(ssl);
  napi_value resumed = nullptr;
  SLUICE_NAPI(env, napi_get_boolean(env, SSL_session_reused(ssl) == 1, &resumed));

  napi_value result = nullptr;
  SLUICE_NAPI(env, napi_create_object(env, &result));
  Set(env, result, "version", Int(env, SSL_version(ssl)));
  Set(env, result, "cipher", String(env, cipher == nullptr ? "" : SSL_CIPHER_get_name(cipher)));
  Set(env, result, "alpn", alpn_text);
  Set(env, result, "servername", String(env, servername == nullptr ? "" : servername));
  Set(env, result, "verifyResult", Int(env, static_cast<int32_t>(verify_result)));
  Set(env, result, "verifyText", String(env, X509_verify_cert_error_string(verify_result)));
  Set(env, result, "resumed", resumed);

  const X509* peer = SSL_get0_peer_certificate(ssl);
  const int der_bytes = peer == nullptr ? 0 : i2d_X509(peer, nullptr);
  if (der_bytes > 0) {
    void* der = nullptr;
    napi_value certificate = NewBytes(env, static_cast<size_t>(der_bytes), &der);
    auto* cursor = static_cast<unsigned char*>(der);
    if (cursor != nullptr && i2d_X509(peer, &cursor) == der_bytes) Set(env, result, "peerCertificate", certificate);
  }
  return result;
}

napi_value TlsEngine::TakeAlerts(napi_env env) {
  static_assert(sizeof(AlertLog::Alert) == 3 * sizeof(int32_t));
  void* triples = nullptr;
  napi_value buffer = nullptr;
  napi_value result = nullptr;
  const size_t count = alerts_.kept();
  SLUICE_NAPI(env, napi_create_arraybuffer(env, count * sizeof(AlertLog::Alert), &triples, &buffer));
  if (count > 0 && triples == nullptr) return nullptr;
  for (size_t index = 0; index < count; index++) {
    std::memcpy(static_cast<AlertLog::Alert*>(triples) + index, &alerts_[index], sizeof(AlertLog::Alert));
  }
  SLUICE_NAPI(env, napi_create_typedarray(env, napi_int32_array, count * 3, buffer, 0, &result));
  alerts_.Forget();
  return result;
}

namespace {

// What the JavaScript object owns.
struct Wrapped {
  Wrapped(std::shared_ptr<TlsContext> context, std::unique_ptr<CipherStore> store, int32_t* result_array)
      : engine(std::move(context), std::move(store)), results(result_array) {}
  TlsEngine engine;
  // Pinned by the reference. The caller must not transfer the array's buffer away.
  int32_t* results;
  napi_ref results_reference = nullptr;
  // What V8 was told that this object holds outside its heap.
  int64_t external_bytes = 0;
};

// Beside its store, an idle server holds about this much after its handshake (measured on OpenSSL 3.5.8, TLS 1.3 with
// X25519MLKEM768; 22 KiB with X25519 or TLS 1.2). Before it, 18 KiB. A client also keeps its peer's chain, parsed.
constexpr int64_t kSslBytes = 28 * 1024;

void TellMemory(napi_env env, Wrapped* wrapped, int64_t bytes) {
  int64_t total = 0;
  SLUICE_NAPI(env, napi_adjust_external_memory(env, bytes - wrapped->external_bytes, &total));
  wrapped->external_bytes = bytes;
}

void CloseWrapped(napi_env env, Wrapped* wrapped) {
  wrapped->engine.Close();
  if (wrapped->external_bytes != 0) TellMemory(env, wrapped, 0);
  if (wrapped->results_reference == nullptr) return;
  SLUICE_NAPI(env, napi_delete_reference(env, std::exchange(wrapped->results_reference, nullptr)));
}

void FreeWrapped(napi_env env, void* data, void*) {
  const ErrorBracket bracket;
  auto* wrapped = static_cast<Wrapped*>(data);
  CloseWrapped(env, wrapped);
  delete wrapped;
}

// The engine of a method's `this`; throws and returns nullptr when it was freed.
Wrapped* OpenEngine(napi_env env, napi_value self) {
  void* data = nullptr;
  SLUICE_NAPI(env, napi_unwrap(env, self, &data));
  auto* wrapped = static_cast<Wrapped*>(data);
  if (wrapped != nullptr && wrapped->engine.is_open()) return wrapped;
  Throw(env, "the TLS engine was freed");
  return nullptr;
}

// Reads (view, offset, length) at `index`; without a view the length must be 0.
template <size_t N>
bool ReadRegion(napi_env env, const Args<N>& args, size_t index, Region* out) {
  Bytes view;
  int32_t offset = 0;
  int32_t length = 0;
  if (!args.View(index, &view, true) || !args.Int32(index + 1, &offset) || !args.Int32(index + 2, &length)) {
    return false;
  }
  if (offset < 0 || length < 0 || static_cast<size_t>(offset) + static_cast<size_t>(length) > view.length) {
    SLUICE_NAPI(env, napi_throw_range_error(env, "SLUICE_NATIVE_ARGUMENT", "step: a region exceeds its array"));
    return false;
  }
  *out = {view.data + offset, static_cast<size_t>(length)};
  return true;
}

napi_value StepMethod(napi_env env, napi_callback_info info) {
  const Args<10> args(env, info);
  Wrapped* wrapped = OpenEngine(env, args.self());
  if (wrapped == nullptr) return nullptr;
  int32_t op = 0;
  Region input, data, output;
  if (!args.Int32(0, &op) || !ReadRegion(env, args, 1, &input) || !ReadRegion(env, args, 4, &data) ||
      !ReadRegion(env, args, 7, &output)) {
    return nullptr;
  }
  if (op < kMove || op > kKeyUpdate) return Throw(env, "step: no such operation");
  // OpenSSL answers a read of 0 bytes with a failure that looks like the system's.
  if (op == kRead && data.length == 0) return Throw(env, "step: read needs room for at least one byte");
  return wrapped->engine.Step(env, op, input, data, output, wrapped->results);
}

napi_value InfoMethod(napi_env env, napi_callback_info info) {
  const ErrorBracket bracket;
  const Wrapped* wrapped = OpenEngine(env, Args<1>(env, info).self());
  return wrapped == nullptr ? nullptr : wrapped->engine.Info(env);
}

napi_value TakeAlertsMethod(napi_env env, napi_callback_info info) {
  Wrapped* wrapped = OpenEngine(env, Args<1>(env, info).self());
  return wrapped == nullptr ? nullptr : wrapped->engine.TakeAlerts(env);
}

napi_value FreeMethod(napi_env env, napi_callback_info info) {
  const ErrorBracket bracket;
  void* data = nullptr;
  SLUICE_NAPI(env, napi_unwrap(env, Args<1>(env, info).self(), &data));
  if (data != nullptr) CloseWrapped(env, static_cast<Wrapped*>(data));
  return nullptr;
}

bool ReadResults(napi_env env, napi_value value, int32_t** out) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array || length < kResultLength) {
    SLUICE_NAPI(env, napi_throw_type_error(env, "SLUICE_NATIVE_ARGUMENT",
                                           "tlsEngine: results must be an Int32Array of TLS_RESULT_LENGTH"));
    return false;
  }
  *out = static_cast<int32_t*>(data);
  return true;
}

std::unique_ptr<CipherStore> MakeStore(Environment* environment, bool pair) {
  if (pair) return std::make_unique<PairStore>();
  if (environment->bio_method == nullptr) environment->bio_method = BorrowingStore::MakeMethod();
  if (environment->bio_method == nullptr) return nullptr;
  return std::make_unique<BorrowingStore>(environment->bio_method);
}

napi_value CreateTlsEngine(napi_env env, napi_callback_info info) {
  ErrorBracket bracket;
  const Args<5> args(env, info);
  auto context = GetTlsContext(env, args[0]);
  int32_t store_bytes = 0;
  std::string servername;
  int32_t* results = nullptr;
  bool pair = true;
  if (context == nullptr) return Throw(env, "tlsEngine: context must come from tlsContext");
  if (!args.Int32(1, &store_bytes) || !args.String(2, &servername) || !ReadResults(env, args[3], &results) ||
      !args.Bool(4, &pair, true)) {
    return nullptr;
  }
  if (store_bytes < 1) return Throw(env, "tlsEngine: storeBytes must be 1 or more");
  // OpenSSL would look at the part before the NUL only, and verify another name than the caller meant.
  if (servername.find('\0') != std::string::npos) return Throw(env, "tlsEngine: servername contains a NUL character");

  Environment* environment = Environment::Get(env);
  auto store = MakeStore(environment, pair);
  if (store == nullptr) return bracket.Failure(env, "BIO_meth_new");
  auto wrapped = std::make_unique<Wrapped>(std::move(context), std::move(store), results);
  if (const char* failed = wrapped->engine.Open(static_cast<size_t>(store_bytes), servername)) {
    return bracket.Failure(env, failed);
  }
  napi_value instance = environment->NewInstance(env, environment->tls_engine);
  if (instance == nullptr) return nullptr;
  SLUICE_NAPI(env, napi_create_reference(env, args[3], 1, &wrapped->results_reference));
  TellMemory(env, wrapped.get(), (pair ? 2 * static_cast<int64_t>(store_bytes) : 0) + kSslBytes);
  if (napi_wrap(env, instance, wrapped.get(), FreeWrapped, nullptr, nullptr) != napi_ok) {
    FreeWrapped(env, wrapped.release(), nullptr);
    return nullptr;
  }
  static_cast<void>(wrapped.release());
  return instance;
}

}  // namespace

void ExportTlsEngine(napi_env env, napi_value exports, Environment* environment) {
  const auto method = [](const char* name, napi_callback callback) -> napi_property_descriptor {
    return {name, nullptr, callback, nullptr, nullptr, nullptr, napi_default_method, nullptr};
  };
  const napi_property_descriptor methods[] = {
      method("step", StepMethod),
      method("info", InfoMethod),
      method("takeAlerts", TakeAlertsMethod),
      method("free", FreeMethod),
  };
  napi_value constructor = nullptr;
  SLUICE_NAPI(env, napi_define_class(env, "TlsEngine", NAPI_AUTO_LENGTH, Environment::Construct, nullptr,
                                     std::size(methods), methods, &constructor));
  SLUICE_NAPI(env, napi_create_reference(env, constructor, 1, &environment->tls_engine));
  SetFunction(env, exports, "tlsEngine", CreateTlsEngine);
}

}  // namespace sluice
