/* One connection of the load: connect, upgrade, send its line of the script, take frames. */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "counting.h"

enum { READ_BYTES = 1 << 18, STALLED_BUFFER_BYTES = 16 << 10 };

/* The nonce of RFC 6455, 1.3, and its answer. */
static const char NONCE[] = "dGhlIHNhbXBsZSBub25jZQ==", ACCEPTED[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/* ---- what was asked for */
static int port, stalled, spin;
static const char *path = "/";
static char **script;
static int script_lines;

/* ---- how many are in which state */
static uint8_t *buffer;
static int poller, ready, closed, opening;
static uint64_t busy_ns; /* of the time that is measured: when there was something to do */

static void fail(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(2);
}

/* ---- one connection */
static void watch(Connection *connection, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(poller, operation, connection->fd, &event);
}

static void send_frame(Connection *connection, int opcode, const char *payload, size_t length)
{
    static uint8_t frame[8 + 65536];
    size_t head = 2;
    if (length > 65535)
        fail("a message to send is longer than 64 KiB");
    frame[0] = (uint8_t)(0x80 | opcode);
    frame[1] = (uint8_t)(0x80 | (length < 126 ? length : 126));
    if (length >= 126) {
        frame[2] = (uint8_t)(length >> 8);
        frame[3] = (uint8_t)length;
        head = 4;
    }
    memset(frame + head, 0, 4); /* a mask of zeros is a legal one and leaves the text as it is */
    memcpy(frame + head + 4, payload, length);
    size_t size = head + 4 + length;
    if (send(connection->fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size && errno == EAGAIN)
        fail("the server does not read");
}

static void give_up(Connection *connection)
{
    if (connection->state == READY)
        ready--;
    else
        opening--;
    connection->state = CLOSED;
    closed++;
    close(connection->fd);
}

static void open_connection(Connection *connection)
{
    int yes = 1, small = STALLED_BUFFER_BYTES;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connection->fd < 0)
        fail("no more sockets: raise the limit of open files");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connection->number < stalled)
        setsockopt(connection->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    connection->state = CONNECTING;
    connection->begun_ns = now_ns();
    connection->rest_bytes = 0;
    opening++;
    watch(connection, EPOLL_CTL_ADD, EPOLLOUT);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        give_up(connection);
}

static void ask_for_upgrade(Connection *connection)
{
    char request[512];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", path, port, NONCE);
    if (send(connection->fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
        give_up(connection);
        return;
    }
    connection->state = HANDSHAKE;
    watch(connection, EPOLL_CTL_MOD, EPOLLIN);
}

/* Send this connection's line of the script: its messages, with tabs between them. */
static void send_script(Connection *connection)
{
    const char *at = script_lines ? script[connection->number % script_lines] : "";
    while (*at) {
        size_t length = strcspn(at, "\t");
        send_frame(connection, 1, at, length);
        at += length + (at[length] == '\t');
    }
    connection->state = SUBSCRIBING;
}

static void become_ready(Connection *connection)
{
    note(&connect_times, now_ns() - connection->begun_ns);
    connection->state = READY;
    opening--;
    ready++;
    if (connection->number < stalled)
        watch(connection, EPOLL_CTL_DEL, 0);
}

/* Take all whole frames; return how many bytes they were, or -1 at the close frame. */
static ssize_t take_frames(Connection *connection, const uint8_t *data, size_t size, uint64_t come_ns)
{
    size_t at = 0;
    while (size - at >= 2) {
        const uint8_t *frame = data + at;
        size_t length = frame[1], head = 2;
        if (length == 126)
            head = 4;
        else if (length == 127)
            head = 10;
        if (size - at < head)
            break;
        if (head > 2) {
            length = 0;
            for (size_t i = 2; i < head; i++)
                length = length << 8 | frame[i];
        }
        if (size - at < head + length)
            break;
        int opcode = frame[0] & 15;
        if (opcode == 8)
            return -1;
        if (opcode == 9)
            send_frame(connection, 10, (const char *)frame + head, length);
        else if (opcode == 1)
            take_message(connection, frame + head, frame + head + length, come_ns);
        if (connection->state == SUBSCRIBED)
            become_ready(connection);
        at += head + length;
    }
    return (ssize_t)at;
}

static void keep(Connection *connection, const uint8_t *data, size_t size)
{
    connection->rest = realloc(connection->rest, size);
    memcpy(connection->rest, data, size);
    connection->rest_bytes = size;
}

static void read_from(Connection *connection)
{
    uint8_t *data = buffer;
    size_t size = connection->rest_bytes;
    memcpy(data, connection->rest, size);
    ssize_t got = recv(connection->fd, data + size, READ_BYTES, 0);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            give_up(connection);
        return;
    }
    uint64_t come_ns = now_ns();
    size += (size_t)got;
    connection->rest_bytes = 0;
    if (measuring) {
        reads++;
        bytes += (uint64_t)got;
    }
    if (connection->state == HANDSHAKE) {
        uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
        if (!end) {
            keep(connection, data, size);
            return;
        }
        if (!memmem(data, size, ACCEPTED, strlen(ACCEPTED))) {
            give_up(connection);
            return;
        }
        size -= (size_t)(end + 4 - data);
        data = end + 4;
        send_script(connection);
    }
    ssize_t taken = take_frames(connection, data, size, come_ns);
    if (taken < 0)
        give_up(connection);
    else if ((size_t)taken < size)
        keep(connection, data + taken, size - (size_t)taken);
}

static void turn(int wait_ms)
{
    struct epoll_event events[256];
    uint64_t begun_ns = now_ns();
    int count = epoll_wait(poller, events, 256, spin ? 0 : wait_ms);
    if (!spin)
        begun_ns = now_ns();
    for (int i = 0; i < count; i++) {
        Connection *connection = events[i].data.ptr;
        if (connection->state == CONNECTING)
            ask_for_upgrade(connection);
        else if (connection->state != CLOSED)
            read_from(connection);
    }
    if (measuring && count > 0)
        busy_ns += now_ns() - begun_ns;
}

static void turn_for(double seconds)
{
    for (uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9); now_ns() < end_ns;)
        turn(20);
}
