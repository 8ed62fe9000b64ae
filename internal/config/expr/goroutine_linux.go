package expr

import "syscall"

// threadID is the system's number of the thread.
func threadID() int { return syscall.Gettid() }
