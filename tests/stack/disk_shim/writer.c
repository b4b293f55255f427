/* Does what its arguments say, in order, to files below the current folder, as a server would.
 *
 * open NAME FLAGS    the descriptor that the next steps use; FLAGS: w (write only), a (append), t (truncate), d (O_DSYNC)
 * write C N          N bytes C at the position     pwrite C N AT · pwritev C N AT · ftruncate N · truncate NAME N
 * fsync · fdatasync · rename FROM TO · unlink NAME · remove NAME · fallocate N · mark NAME (create a file)
 * wait NAME (until it is there) · threads LETTERS N (a thread for each letter; N times it writes 100 of it, and syncs)
 * Each step that fails prints `STEP: ERRNO NAME` and goes on. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char bytes[1 << 20];
static int shared, rounds; /* of the threads: the descriptor, and how often each writes */

static void *thread(void *letter) {
    char record[100];
    memset(record, *(const char *)letter, sizeof record);
    for (int i = 0; i < rounds; i++)
        if (write(shared, record, sizeof record) < 0 || fsync(shared)) printf("threads: %s\n", strerrorname_np(errno));
    return 0;
}

static void threads(const char *letters) {
    pthread_t all[26];
    int many = strlen(letters);
    for (int i = 0; i < many; i++) pthread_create(&all[i], 0, thread, (void *)(letters + i));
    for (int i = 0; i < many; i++) pthread_join(all[i], 0);
}

static int flags(const char *letters) {
    int all = O_CREAT | (strchr(letters, 'w') ? O_WRONLY : O_RDWR);
    return all | (strchr(letters, 'a') ? O_APPEND : 0) | (strchr(letters, 't') ? O_TRUNC : 0) | (strchr(letters, 'd') ? O_DSYNC : 0);
}

int main(int many, char **word) {
    int fd = -1;
    for (int i = 1; i < many; i++) {
        const char *step = word[i];
        long done = 0;
        if (!strcmp(step, "open")) done = fd = open(word[i + 1], flags(word[i + 2]), 0600), i += 2;
        else if (!strcmp(step, "write")) memset(bytes, *word[i + 1], sizeof bytes), done = write(fd, bytes, atol(word[i + 2])), i += 2;
        else if (!strcmp(step, "pwrite")) memset(bytes, *word[i + 1], sizeof bytes), done = pwrite(fd, bytes, atol(word[i + 2]), atol(word[i + 3])), i += 3;
        else if (!strcmp(step, "pwritev")) {
            memset(bytes, *word[i + 1], sizeof bytes);
            struct iovec parts[] = {{bytes, atol(word[i + 2]) / 2}, {bytes, atol(word[i + 2]) - atol(word[i + 2]) / 2}};
            done = pwritev(fd, parts, 2, atol(word[i + 3])), i += 3;
        } else if (!strcmp(step, "ftruncate")) done = ftruncate(fd, atol(word[++i]));
        else if (!strcmp(step, "truncate")) done = truncate(word[i + 1], atol(word[i + 2])), i += 2;
        else if (!strcmp(step, "fsync")) done = fsync(fd);
        else if (!strcmp(step, "fdatasync")) done = fdatasync(fd);
        else if (!strcmp(step, "rename")) done = rename(word[i + 1], word[i + 2]), i += 2;
        else if (!strcmp(step, "unlink")) done = unlink(word[++i]);
        else if (!strcmp(step, "remove")) done = remove(word[++i]);
        else if (!strcmp(step, "threads")) shared = fd, rounds = atol(word[i + 2]), threads(word[i + 1]), i += 2;
        else if (!strcmp(step, "fallocate")) errno = posix_fallocate(fd, 0, atol(word[++i])), done = errno ? -1 : 0;
        else if (!strcmp(step, "mark")) close(open(word[++i], O_CREAT | O_WRONLY, 0600));
        else if (!strcmp(step, "wait")) { for (i++; access(word[i], F_OK); usleep(1000)); }
        else return fprintf(stderr, "no step %s\n", step), 2;
        if (done < 0) printf("%s: %s\n", step, strerrorname_np(errno));
    }
    return 0;
}
