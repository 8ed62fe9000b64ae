// Package memory tells how much memory this process may use.
package memory

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Size is in bytes, 0 where it is unknown.
type Size struct {
	Total, Free int64
	Limited     bool // by a control group
}

// Read reads the machine's memory and the limit of the control group, the smaller of which counts, from the files of /proc and
// /sys under root, "/" but in tests.
func Read(root string) (m Size) {
	text := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(root, name)) // what is missing is unknown
		return string(b)
	}
	sizes := map[string]int64{}
	for line := range strings.Lines(text("/proc/meminfo")) {
		if f := strings.Fields(line); len(f) >= 2 {
			kb, _ := strconv.ParseInt(f[1], 10, 64) // 0 is unknown
			sizes[f[0]] = kb << 10
		}
	}
	m.Total, m.Free = sizes["MemTotal:"], sizes["MemAvailable:"]
	for _, group := range []struct{ limit, used string }{
		{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
		{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
	} {
		limit, err := strconv.ParseInt(strings.TrimSpace(text(group.limit)), 10, 64)
		if err != nil || m.Total > 0 && limit >= m.Total {
			continue
		}
		used, _ := strconv.ParseInt(strings.TrimSpace(text(group.used)), 10, 64) // 0 is unknown
		m.Total, m.Free, m.Limited = limit, min(m.Free, limit-used), true
	}
	return m
}
