// One TLS endpoint in memory: an SSL object over a bounded store of ciphertext.
#ifndef SLUICE_TLS_ENGINE_H_
#define SLUICE_TLS_ENGINE_H_

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "addon.h"
#include "cipher_store.h"
#include "openssl_owned.h"
#include "tls_context.h"

namespace sluice {

// The newest alerts that OpenSSL sent or received.
class AlertLog {
 public:
  static constexpr size_t kCapacity = 16;
  struct Alert {
    int32_t sent, level, description;
  };
  void Note(Alert alert) { alerts_[noted_++ % kCapacity] = alert; }
  // How many were noted since the last Forget, overwritten ones included.
  size_t noted() const { return noted_; }
  size_t kept() const { return noted_ < kCapacity ? noted_ : kCapacity; }
  // Oldest first; index < kept().
  const Alert& operator[](size_t index) const { return alerts_[(noted_ - kept() + index) % kCapacity]; }
  void Forget() { noted_ = 0; }

 private:
  std::array<Alert, kCapacity> alerts_ = {};
  size_t noted_ = 0;
};

class TlsEngine {
 public:
  TlsEngine(std::shared_ptr<TlsContext> context, std::unique_ptr<CipherStore> store)
      : context_(std::move(context)), store_(std::move(store)) {}
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // Makes the SSL object over its store, of so many bytes per direction. Returns nullptr, or the name of the OpenSSL
  // call that failed.
  const char* Open(size_t store_bytes, const std::string& servername);
  // See NativeTlsEngine.step in binding.ts. `results` has TLS_RESULT_LENGTH elements.
  napi_value Step(napi_env env, int op, Region input, Region data, Region output, int32_t* results);
  napi_value Info(napi_env env) const;
  napi_value TakeAlerts(napi_env env);
  void Close();
  bool is_open() const { return ssl_ != nullptr; }

 private:
  struct Call {
    int ret = 1;
    int ssl_error = SSL_ERROR_NONE;
    size_t transferred = 0;
  };
  const char* ExpectPeer(const std::string& servername);
  Call Perform(int op, const Region& data, bool fed_all);
  static void NoteAlert(const SSL* ssl, int where, int value);

  std::shared_ptr<TlsContext> context_;
  // Outlives the SSL object, whose BIO refers to it.
  std::unique_ptr<CipherStore> store_;
  SslOwned ssl_;
  AlertLog alerts_;
};

// Adds `tlsEngine` to the exports.
void ExportTlsEngine(napi_env env, napi_value exports, Environment* environment);

}  // namespace sluice

#endif  // SLUICE_TLS_ENGINE_H_
