// One owner per OpenSSL object.
#ifndef SLUICE_OPENSSL_OWNED_H_
#define SLUICE_OPENSSL_OWNED_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace sluice {

template <auto Free>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using SslContextOwned = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using SslOwned = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;
using BioOwned = std::unique_ptr<BIO, OpenSslFree<BIO_free>>;
using X509Owned = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using KeyOwned = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using OctetsOwned = std::unique_ptr<ASN1_OCTET_STRING, OpenSslFree<ASN1_OCTET_STRING_free>>;

}  // namespace sluice

#endif  // SLUICE_OPENSSL_OWNED_H_
