# SPDX-License-Identifier: ISC
# Pipes, events, and the shared memory, semaphores and queues of System V and POSIX (PHP's opcache and APCu, Gunicorn).
runas-profile = 1 part

allow = pipe pipe2 eventfd eventfd2
allow = shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
allow = mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
