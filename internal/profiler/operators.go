package profiler

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/tensor"
)

// operator sums the calls of one name, as torch.autograd's key_averages does. Times are nanoseconds. Self times leave out
// what is recorded inside.
type operator struct {
	name, shapes            string
	device                  tensor.DeviceType
	calls                   int
	cpu, selfCPU            int64
	cuda, selfCUDA          int64
	memory, selfMemory      int64
	flops                   uint64
	annotation, nested, own bool // own: it is a kernel or a copy, no operator
}

// notOperators are what the profiler's and autograd's own work leaves in the record, as PyTorch filters them.
var notOperators = []string{
	"[OutOfMemory]", "profiler::_record_function_enter", "profiler::_record_function_enter_new", "profiler::_record_function_exit",
	"aten::is_leaf", "aten::output_nr", "aten::_version",
}

const memoryEvent = "[memory]"

// call is an event in the tree of its thread.
type call struct {
	tensor.ProfileEvent
	inner       int64 // time of the calls directly inside
	cuda        int64 // of the kernels it launched itself
	innerCUDA   int64
	bytes       int64
	parent      *call
	annotation  bool
	totalMemory int64
}

// averages sums events by name, and by the shapes of the inputs when byShapes is set, in the order of their first calls.
func averages(events []tensor.ProfileEvent, byShapes bool) []*operator {
	calls := tree(events)
	byKey := map[[3]string]*operator{}
	var all []*operator
	for _, c := range calls {
		key := [3]string{label(c.Name), "", c.Device.String()}
		if byShapes {
			key[1] = c.Shapes
		}
		o := byKey[key]
		if o == nil {
			o = &operator{name: key[0], shapes: key[1], device: c.Device, own: c.Device != tensor.CPU, annotation: c.annotation, nested: c.parent != nil}
			byKey[key] = o
			all = append(all, o)
		}
		o.calls++
		o.flops += c.FLOPs
		if o.own {
			o.cuda += c.Duration
			o.selfCUDA += c.Duration
			continue
		}
		o.selfMemory += c.bytes
		o.memory += c.totalMemory
		if c.Async {
			continue
		}
		o.cpu += c.Duration
		o.selfCPU += c.Duration - c.inner
		o.cuda += c.cuda + c.innerCUDA
		o.selfCUDA += c.cuda
	}
	return all
}

// label is a name without the marks that tell Lightning's records from a user's.
func label(name string) string {
	if strings.HasPrefix(name, "ProfilerStep#") {
		return "ProfilerStep*"
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, "[pl][profile]"), "[pl][module]")
}

// tree finds for each event of the CPU the one around it on its thread, and gives kernels and allocations to the operators they are
// of. It returns the events without those allocations, in the order of their beginning.
func tree(events []tensor.ProfileEvent) []*call {
	var calls []*call
	byID := map[uint64]*call{}
	for _, e := range events {
		if slices.Contains(notOperators, e.Name) {
			continue
		}
		c := &call{ProfileEvent: e}
		calls = append(calls, c)
		if e.Device == tensor.CPU && e.Linked == 0 && e.ID != 0 {
			byID[e.ID] = c
		}
	}
	for _, c := range calls {
		if launcher := byID[c.Linked]; c.Device == tensor.CPU && launcher != nil { // the runtime's calls carry another number of the thread
			c.Thread = launcher.Thread
		}
	}
	slices.SortStableFunc(calls, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.Duration, a.Duration))
	})
	open := map[uint64]*call{}
	kept := calls[:0]
	for _, c := range calls {
		if c.Device != tensor.CPU {
			if c.Name == memoryEvent {
				continue
			}
			if launcher := byID[c.Linked]; launcher != nil {
				launcher.cuda += c.Duration
			}
			kept = append(kept, c)
			continue
		}
		around := open[c.Thread]
		for around != nil && c.Start >= around.Start+around.Duration {
			around = around.parent
		}
		if c.Name == memoryEvent {
			if around != nil {
				around.bytes += c.Bytes
			}
			continue
		}
		kept = append(kept, c)
		if c.Async {
			continue
		}
		c.parent = around
		if around != nil {
			around.inner += c.Duration
		}
		open[c.Thread] = c
	}
	for i := len(kept) - 1; i >= 0; i-- { // what is inside comes later in the order
		c := kept[i]
		c.totalMemory += c.bytes
		if c.parent != nil {
			c.parent.innerCUDA += c.cuda + c.innerCUDA
			c.parent.totalMemory += c.totalMemory
		}
	}
	return kept
}

// sortKeys are Lightning's keys of a table, largest first.
var sortKeys = map[string]func(o *operator) float64{
	"cpu_time":              func(o *operator) float64 { return float64(o.cpu) / float64(o.calls) },
	"cuda_time":             func(o *operator) float64 { return float64(o.cuda) / float64(o.calls) },
	"cpu_time_total":        func(o *operator) float64 { return float64(o.cpu) },
	"cuda_time_total":       func(o *operator) float64 { return float64(o.cuda) },
	"cpu_memory_usage":      func(o *operator) float64 { return float64(o.memory) },
	"self_cpu_memory_usage": func(o *operator) float64 { return float64(o.selfMemory) },

	"count": func(o *operator) float64 { return float64(o.calls) },
}

func sortBy(all []*operator, key string) {
	value := sortKeys[key]
	slices.SortStableFunc(all, func(a, b *operator) int { return cmp.Compare(value(b), value(a)) })
}
