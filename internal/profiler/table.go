package profiler

import (
	"fmt"
	"math"
	"strings"

	"github.com/lighter-go/lighter/tensor"
)

// tableOptions are those of torch.autograd's table.
type tableOptions struct {
	rows      int // -1 is all
	header    string
	unit      string // "", s, ms or us
	nameWidth int
	topLevel  bool
	memory    bool
	flops     bool
	shapes    bool
}

const columnWidth = 12

// table is what PyTorch's key_averages().table() prints of operators.
func table(all []*operator, o tableOptions) string {
	if len(all) == 0 {
		return ""
	}
	var selfCPU, selfCUDA int64
	hasCUDA := false
	width, shapesWidth := 0, 0
	for _, op := range all {
		selfCPU += op.selfCPU
		if op.own && !op.annotation {
			selfCUDA += op.selfCUDA
		}
		hasCUDA = hasCUDA || op.selfCUDA > 0
		width, shapesWidth = max(width, len(op.name)+4), max(shapesWidth, len(op.shapes)+6)
	}
	width, shapesWidth = min(width, o.nameWidth), min(shapesWidth, 80)

	headers := []string{"Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"}
	if hasCUDA {
		headers = append(headers, "Self CUDA", "Self CUDA %", "CUDA total", "CUDA time avg")
	}
	if o.memory {
		headers = append(headers, "CPU Mem", "Self CPU Mem")
	}
	headers = append(headers, "# of Calls")
	widths := []int{width}
	for range headers[1:] {
		widths = append(widths, columnWidth)
	}
	if o.shapes {
		headers, widths = append(headers, "Input Shapes"), append(widths, shapesWidth)
	}
	scale, unit := flopsUnit(all)
	if o.flops && unit != "" {
		headers, widths = append(headers, "Total "+unit), append(widths, columnWidth)
	}

	var b strings.Builder
	line := func(cells []string) {
		for i, c := range cells {
			fmt.Fprintf(&b, "%*s  ", widths[i], c)
		}
		b.WriteByte('\n')
	}
	length := -2
	rules := make([]string, len(widths))
	for i, w := range widths {
		rules[i] = strings.Repeat("-", w)
		length += w + 2
	}
	if o.header != "" {
		b.WriteString(strings.Repeat("=", length) + "\n" + o.header + "\n")
	}
	if o.topLevel {
		b.WriteString(strings.Repeat("=", length) + "\nThis report only display top-level ops statistics\n")
	}
	line(rules)
	line(headers)
	line(rules)
	left := o.rows
	for _, op := range all {
		if o.topLevel && op.nested {
			continue
		}
		if left == 0 {
			break
		}
		left--
		name := op.name
		if len(name) >= o.nameWidth-3 {
			name = name[:max(o.nameWidth-3, 0)] + "..."
		}
		time := func(ns int64) string { return timeText(float64(ns), o.unit) }
		mean := func(ns int64) string { return timeText(float64(ns)/float64(op.calls), o.unit) }
		cells := []string{name, share(op.selfCPU, selfCPU), time(op.selfCPU), share(op.cpu, selfCPU), time(op.cpu), mean(op.cpu)}
		if hasCUDA {
			cells = append(cells, time(op.selfCUDA), share(op.selfCUDA, selfCUDA), time(op.cuda), mean(op.cuda))
		}
		if o.memory {
			cells = append(cells, memoryText(op.memory), memoryText(op.selfMemory))
		}
		cells = append(cells, fmt.Sprint(op.calls))
		if o.shapes {
			shapes := "[" + op.shapes + "]"
			cells = append(cells, shapes[:min(len(shapes), shapesWidth)])
		}
		if o.flops && unit != "" {
			text := "--"
			if op.flops > 0 {
				text = fmt.Sprintf("%8.3f", float64(op.flops)*scale)
			}
			cells = append(cells, text)
		}
		line(cells)
	}
	line(rules)
	fmt.Fprintf(&b, "Self CPU time total: %s\n", timeText(float64(selfCPU), o.unit))
	if hasCUDA {
		fmt.Fprintf(&b, "Self %s time total: %s\n", strings.ToUpper(tensor.CUDA.String()), timeText(float64(selfCUDA), o.unit))
	}
	return b.String()
}

// flopsUnit fits the smallest count.
func flopsUnit(all []*operator) (scale float64, unit string) {
	least := uint64(0)
	for _, op := range all {
		if op.flops > 0 && (least == 0 || op.flops < least) {
			least = op.flops
		}
	}
	if least == 0 {
		return 0, ""
	}
	units := []string{"FLOPs", "KFLOPs", "MFLOPs", "GFLOPs", "TFLOPs", "PFLOPs"}
	i := min(int(math.Log10(float64(least))/3), len(units)-1)
	return math.Pow(10, float64(-3*i)), units[i]
}

func timeText(ns float64, unit string) string {
	us := ns / 1e3
	switch {
	case unit == "s" || unit == "" && us >= 1e6:
		return fmt.Sprintf("%.3fs", us/1e6)
	case unit == "ms" || unit == "" && us >= 1e3:
		return fmt.Sprintf("%.3fms", us/1e3)
	}
	return fmt.Sprintf("%.3fus", us)
}

func share(part, whole int64) string {
	if whole == 0 {
		return "NaN"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(part)/float64(whole))
}

func memoryText(n int64) string {
	size := math.Abs(float64(n))
	for i, unit := range []string{"GB", "MB", "KB"} {
		if one := math.Pow(1024, float64(3-i)); size >= one {
			return fmt.Sprintf("%.2f %s", float64(n)/one, unit)
		}
	}
	return fmt.Sprintf("%d B", n)
}
