package expr

import "go.starlark.net/starlark"

// Caller is the function of a file that calls the host's function under way on this thread, and its file; both are empty
// outside of such a call.
func (r *Runtime) Caller() (file, function string) {
	id := threadID()
	shard := &running[uint(id)%uint(len(running))]
	shard.Lock()
	m := shard.on[id]
	shard.Unlock()
	if m == nil || m.run != r {
		return "", ""
	}
	for i := range m.thread.CallStackDepth() {
		f := m.thread.DebugFrame(i)
		if fn, ok := f.Callable().(*starlark.Function); ok {
			return fn.Position().Filename(), fn.Name()
		}
	}
	return "", ""
}
