package expr

import (
	"runtime"
	"sync"
)

// running are the machines that run, by the thread of the system that they have for themselves meanwhile. Calls of
// Go's functions carry no context, so this is how a call knows the one that it is within.
var running [64]struct {
	sync.Mutex
	on map[int]*machine
}

// enter makes m the machine of this goroutine; outer is the one that it was on, nil for none.
func enter(m *machine) (outer *machine, leave func()) {
	runtime.LockOSThread()
	id := threadID()
	shard := &running[uint(id)%uint(len(running))]
	shard.Lock()
	if shard.on == nil {
		shard.on = map[int]*machine{}
	}
	outer = shard.on[id]
	shard.on[id] = m
	shard.Unlock()
	return outer, func() {
		shard.Lock()
		if outer != nil {
			shard.on[id] = outer
		} else {
			delete(shard.on, id)
		}
		shard.Unlock()
		runtime.UnlockOSThread()
	}
}
