// One non-blocking connection to the server, plain or TLS.
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Where to connect, and how. One per program.
struct target {
  struct sockaddr_in address;
  SSL_CTX* tls;  // NULL: plain
  bool narrow;   // small segments and a small window, so that the kernel's buffers stay small
  int poll;      // the epoll instance
};

/// What receive and send answer besides a number of bytes.
enum { IO_END = 0, IO_AGAIN = -1, IO_FAILED = -2 };

struct connection {
  int fd;  // -1: not open
  SSL* ssl;
  bool connected;        // TCP's handshake is done
  bool ready;            // and TLS's
  bool blocked;          // a send is waiting for room
  uint32_t interest;     // what epoll watches for
  char failure[96];      // why the last call failed
  SSL_SESSION* session;  // TLS: of the first connection that was ended; survives connection_close
};

/// Starts connecting. `index` spreads connections over source addresses, so that ports do not run out.
/// `tag` comes back from epoll. False when it failed at once.
bool connection_open(struct connection* connection, const struct target* target, unsigned index, void* tag);

/// Goes on with connecting and the TLS handshake: 1 when ready, else IO_AGAIN or IO_FAILED.
int connection_establish(struct connection* connection);

/// Bytes received (> 0), IO_END, IO_AGAIN or IO_FAILED.
ssize_t connection_receive(struct connection* connection, void* bytes, size_t size);

/// Bytes taken (> 0), IO_AGAIN or IO_FAILED. After IO_AGAIN the next call starts with the same bytes.
ssize_t connection_send(struct connection* connection, const void* bytes, size_t size);

/// Watches for readable, and for writable while a send (or the connecting) waits for it.
void connection_watch(struct connection* connection, const struct target* target, void* tag);

/// Says that no more will be sent: close_notify, and FIN.
void connection_end(struct connection* connection);

void connection_close(struct connection* connection);

struct target target_make(const char* host, uint16_t port, bool tls);
