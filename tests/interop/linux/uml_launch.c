/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * uml_launch PROGRAM [argument]...: runs a user-mode Linux kernel without the extended processor
 * state.
 *
 * The kernel reads and writes its processes' registers by ptrace, in a buffer whose size was fixed
 * when it was built; on newer processors the state is larger, and it panics. Where the kernel finds
 * at its start that there is no such state, it does with the floating-point registers of old. So a
 * filter refuses exactly these two requests. The guest's programs must not use AVX then.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIELD(name) ((unsigned)offsetof(struct seccomp_data, name))

int main(int argc, char **argv)
{
    static const unsigned allow = SECCOMP_RET_ALLOW, refuse = SECCOMP_RET_ERRNO | EINVAL;
    struct sock_filter code[] = {
        /* 0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(arch)),
        /* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 7),
        /* 2 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr)),
        /* 3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 5),
        /* 4 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(args[0])),
        /* 5 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_GETREGSET, 1, 0),
        /* 6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_SETREGSET, 0, 2),
        /* 7 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(args[2])),
        /* 8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NT_X86_XSTATE, 1, 0),
        /* 9 */ BPF_STMT(BPF_RET | BPF_K, allow),
        /* 10 */ BPF_STMT(BPF_RET | BPF_K, refuse),
    };
    const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
    if (argc < 2) {
        fprintf(stderr, "usage: uml_launch PROGRAM [argument]...\n");
        return 2;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("seccomp");
        return 1;
    }
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
