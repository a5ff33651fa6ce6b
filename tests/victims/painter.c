/* SPDX-License-Identifier: MIT */
/*
 * The smallest full-screen program, to test the terminal harness with: draws known cells, repaints
 * at each key and at each change of size, and tells each paint through PROFTOP_PAINTED_FD.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static void on_resize(int number)
{
    (void)number;
}

static void paint(const char *keys, int painted)
{
    struct winsize size = { 0 };

    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    printf("\033[H\033[2J%dx%d\r\n", size.ws_col, size.ws_row);
    printf("plain \033[1mbold\033[m \033[7mreverse\033[m \033[31;44mred on blue\033[m\r\n");
    printf("\033[38;5;208morange\033[m wide \344\270\255\346\226\207 e\314\201 \342\226\210\r\n");
    printf("=\033[9b|\r\n");
    printf("keys: %s", keys);
    fflush(stdout);
    if (painted >= 0 && write(painted, "", 1) != 1)
        exit(3);
}

int main(void)
{
    const char *variable = getenv("PROFTOP_PAINTED_FD");
    int painted = variable != NULL ? atoi(variable) : -1;
    struct sigaction action = { .sa_handler = on_resize };
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    sigset_t resizes, waiting;
    struct termios before, raw;
    char keys[64] = "", key;
    size_t count = 0;

    /* Delivered only while waiting, so that no resize falls between a paint and the next wait. */
    sigemptyset(&resizes);
    sigaddset(&resizes, SIGWINCH);
    sigprocmask(SIG_BLOCK, &resizes, &waiting);
    sigaction(SIGWINCH, &action, NULL);
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return 2;
    raw = before;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    printf("\033[?1049h\033[?25l");
    for (;;) {
        ssize_t got;

        paint(keys, painted);
        if (ppoll(&input, 1, NULL, &waiting) < 0 && errno == EINTR)
            continue;
        got = read(STDIN_FILENO, &key, 1);
        if (got <= 0 || key == 'q')
            break;
        if (count < sizeof(keys) - 1)
            keys[count++] = key >= ' ' && key < 127 ? key : '?';
        keys[count] = '\0';
    }
    printf("\033[?25h\033[?1049l");
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return 42;
}
