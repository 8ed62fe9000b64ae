package callback

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// hostStats measures the machine as psutil does: from /proc, in percent with one decimal.
type hostStats struct {
	read       func(path string) ([]byte, error)
	busy, idle float64 // clock ticks at the last call
}

// read gives the values under Lightning's names. That of the processors is since the last call.
func (h *hostStats) stats() (map[string]float64, error) {
	stat, err := h.read("/proc/stat")
	if err != nil {
		return nil, err
	}
	busy, idle, err := processorTicks(string(stat))
	if err != nil {
		return nil, err
	}
	cpu := 0.0
	if all := busy - h.busy + idle - h.idle; all > 0 {
		cpu = percent(max(0, busy-h.busy), all)
	}
	h.busy, h.idle = busy, idle
	info, err := h.read("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	memory := memoryInfo(string(info))
	vm := percent(memory["MemTotal"]-memory["MemAvailable"], memory["MemTotal"])
	swap := percent(memory["SwapTotal"]-memory["SwapFree"], memory["SwapTotal"])
	return map[string]float64{"cpu_percent": cpu, "cpu_vm_percent": vm, "cpu_swap_percent": swap}, nil
}

func newHostStats() *hostStats {
	h := &hostStats{read: os.ReadFile}
	_, _ = h.stats() // where the first interval begins; what fails now fails again when it is asked for
	return h
}

// processorTicks are the ticks of all processors: user, nice, system, idle, iowait, irq, softirq, steal, guest and guest_nice,
// of which user and nice include the last two.
func processorTicks(stat string) (busy, idle float64, err error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[0] != "cpu" {
		return 0, 0, fmt.Errorf("/proc/stat begins with %q", line)
	}
	for i, f := range fields[1:min(len(fields), 9)] {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		}
		if i == 3 || i == 4 {
			idle += v
		} else {
			busy += v
		}
	}
	return busy, idle, nil
}

// memoryInfo are the values of /proc/meminfo in kB.
func memoryInfo(text string) map[string]float64 {
	out := map[string]float64{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		if fields := strings.Fields(rest); len(fields) > 0 {
			out[name], _ = strconv.ParseFloat(fields[0], 64)
		}
	}
	return out
}

func percent(part, of float64) float64 {
	if of == 0 {
		return 0
	}
	return math.RoundToEven(part/of*1000) / 10
}
