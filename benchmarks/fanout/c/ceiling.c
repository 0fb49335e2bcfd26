/*
 * The ceiling: what a C server reaches that does nothing but write. One thread, epoll; a tick is made once and sent to
 * every subscriber with one send() each; a burst of ticks is one send() per subscriber too.
 *
 *     ceiling PORT
 *
 * Commands come on standard input, one a line: "max BURST PRODUCTS" (a burst per turn), "rate PER_S PRODUCTS" (the
 * products take turns), "burst COUNT", "stop". It speaks to `load` alone: its answer to the handshake is the one to
 * the nonce that `load` sends, and every text that names products subscribes to them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"

enum { PRODUCTS_MAX = 100, CLIENTS_MAX = 16384, TICK_BYTES = 160, BURST_MAX = 300, FIRST_BID = 1000000 };

static const char UPGRADED[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/* product -> the sockets of its subscribers */
static int subscribers[PRODUCTS_MAX][CLIENTS_MAX], counts[PRODUCTS_MAX];
static bool upgraded[CLIENTS_MAX + 64];
static int64_t counters[PRODUCTS_MAX];
static int poller, timer, burst, products = 1, turn_of;
static double rate, begun_s, sent;
static enum { SILENT, MAX, RATE } mode;

static void send_all(int socket, const char *data, size_t size)
{
    while (size) {
        ssize_t taken = send(socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (taken > 0) {
            data += taken;
            size -= (size_t)taken;
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = socket, .events = POLLOUT};
            poll(&room, 1, 100);
        } else
            return; /* gone: the next read says so */
    }
}

static size_t put_tick(char *frame, int product)
{
    long long bid = FIRST_BID + ++counters[product];
    int length = snprintf(frame + 2, TICK_BYTES - 2, "{\"type\":\"tick\",\"symbol\":\"S%02d\",\"bid\":%lld,\"ask\":%lld,"
                          "\"time\":%llu}", product, bid, bid + 1, (unsigned long long)now_ns());
    frame[0] = (char)0x81;
    frame[1] = (char)length; /* a tick is shorter than 126 bytes */
    return (size_t)length + 2;
}

static void publish(int product, int ticks)
{
    static char frames[BURST_MAX * TICK_BYTES];
    size_t size = 0;
    for (int i = 0; i < ticks; i++)
        size += put_tick(frames + size, product);
    for (int i = 0; i < counts[product]; i++)
        send_all(subscribers[product][i], frames, size);
}

static void publish_due(void)
{
    double due = ((double)now_ns() / 1e9 - begun_s) * rate * products;
    for (; sent < due; sent++)
        publish(turn_of = (turn_of + 1) % products, 1);
}

static void command(const char *line)
{
    double number = 1;
    products = 1;
    mode = SILENT;
    if (sscanf(line, "max %d %d", &burst, &products) > 0)
        mode = burst <= BURST_MAX ? MAX : SILENT;
    else if (sscanf(line, "rate %lf %d", &rate, &products) > 0) {
        begun_s = (double)now_ns() / 1e9;
        sent = 0;
        mode = RATE;
    } else if (sscanf(line, "burst %lf", &number) > 0)
        for (; number > 0; number--)
            publish(0, 1);
    long period_ns = mode == RATE ? (long)(1e9 / rate / products) : 0;
    struct itimerspec spec = {.it_interval.tv_sec = period_ns / 1000000000, .it_interval.tv_nsec = period_ns % 1000000000};
    spec.it_value = spec.it_interval;
    timerfd_settime(timer, 0, &spec, NULL);
}

static void read_commands(void)
{
    char lines[256];
    ssize_t got = read(STDIN_FILENO, lines, sizeof lines - 1);
    if (got <= 0)
        exit(0);
    lines[got] = 0;
    command(lines);
}

static void forget(int socket)
{
    for (int product = 0; product < PRODUCTS_MAX; product++)
        for (int i = counts[product] - 1; i >= 0; i--)
            if (subscribers[product][i] == socket)
                subscribers[product][i] = subscribers[product][--counts[product]];
    upgraded[socket] = false;
    close(socket);
}

static void answer(int socket, const char *text)
{
    static const char subscribed[] = "\x81\x15{\"type\":\"subscribed\"}";
    if (!strstr(text, "\"symbols\""))
        return;
    for (const char *at = text; (at = strstr(at, "\"S")); at += 2) {
        int product = atoi(at + 2);
        if (product < PRODUCTS_MAX)
            subscribers[product][counts[product]++] = socket;
    }
    send_all(socket, subscribed, sizeof subscribed - 1);
}

/* The load's mask is all zeros and its texts fit one read, so a text is found by its header alone. */
static void read_client(int socket)
{
    char data[65536];
    ssize_t got = recv(socket, data, sizeof data - 1, 0);
    if (got <= 0 || (upgraded[socket] && (data[0] & 15) == 8)) {
        forget(socket);
        return;
    }
    if (!upgraded[socket]) {
        upgraded[socket] = true;
        send_all(socket, UPGRADED, sizeof UPGRADED - 1);
        return;
    }
    for (ssize_t at = 0; at + 6 <= got;) {
        size_t length = data[at + 1] & 127, head = 6;
        if (length == 126) {
            length = (size_t)(uint8_t)data[at + 2] << 8 | (uint8_t)data[at + 3];
            head = 8;
        }
        char text[65536];
        memcpy(text, data + at + head, length);
        text[length] = 0;
        answer(socket, text);
        at += (ssize_t)(head + length);
    }
}

static void watch(int file)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = file};
    epoll_ctl(poller, EPOLL_CTL_ADD, file, &event);
}

static void accept_all(int listening)
{
    int yes = 1;
    for (int socket; (socket = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (socket >= CLIENTS_MAX) {
            close(socket);
            continue;
        }
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(socket);
    }
}

static int listen_on(int port)
{
    int yes = 1, listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listening, (struct sockaddr *)&address, sizeof address) || listen(listening, 4096)) {
        perror("ceiling");
        exit(1);
    }
    return listening;
}

int main(int count, char **arguments)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (count != 2)
        return 2;
    int listening = listen_on(atoi(arguments[1]));
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(listening);
    watch(timer);
    watch(STDIN_FILENO);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        int happened = epoll_wait(poller, events, 256, mode == MAX ? 0 : -1);
        for (int i = 0; i < happened; i++) {
            int file = events[i].data.fd;
            uint64_t expirations;
            if (file == listening)
                accept_all(listening);
            else if (file == STDIN_FILENO)
                read_commands();
            else if (file == timer)
                (void)!read(timer, &expirations, sizeof expirations);
            else
                read_client(file);
        }
        if (mode == MAX)
            for (int product = 0; product < products; product++)
                publish(product, burst);
        else if (mode == RATE)
            publish_due();
    }
}
