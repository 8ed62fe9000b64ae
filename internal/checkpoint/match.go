package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/safetensors"
)

// Match pairs a file's weights with a model's names.
type Match struct {
	Pairs      map[string]safetensors.Tensor // by the model's name
	Missing    []string                      // names of the model that the file should have, in the model's order
	Kept       []string                      // names outside the part of the model that the file is of: they keep their values
	Unexpected []string                      // names of the file that the model does not have, in the file's order
	// Note says how names were changed, "" when they are the same on both sides.
	Note string
}

// maxTried bounds how many names decide on a reading: a model's are all of one kind.
const maxTried = 4096

// compiled is what torch.compile puts into the names of what it wraps, at any depth.
const compiled = "_orig_mod."

// Match finds how the file's names are to be read. They are the model's own, or differ from them as files of other programs
// do: by a prefix on all of them (`module.` of DataParallel, `model.` of a LightningModule), by torch.compile's `_orig_mod.`,
// or because the file is of the model's `network.` alone, such as torchvision's. The reading that matches most names counts,
// the plainest of several, if it is most of the file's; else the names are taken as they are.
func (f *File) Match(model []string) Match {
	known := make(map[string]bool, len(model))
	for _, n := range model {
		known[n] = true
	}
	names := f.names()
	names = names[:min(len(names), maxTried)]
	best, most := reading{}, -1
	for _, r := range readings(names, model) {
		n := 0
		for _, name := range names {
			if known[r.of(name)] {
				n++
			}
		}
		if n > most {
			best, most = r, n
		}
	}
	if 2*most <= len(names) { // a few names fit by chance
		best = reading{}
	}
	m := Match{Pairs: make(map[string]safetensors.Tensor, most), Note: best.String()}
	for _, w := range f.Weights {
		name := best.of(w.Name)
		if _, twice := m.Pairs[name]; !known[name] || twice {
			m.Unexpected = append(m.Unexpected, w.Name)
			continue
		}
		m.Pairs[name] = w
	}
	for _, name := range model {
		if _, ok := m.Pairs[name]; ok {
			continue
		}
		if !strings.HasPrefix(name, best.add) || f.mayLack(best, name) {
			m.Kept = append(m.Kept, name)
			continue
		}
		m.Missing = append(m.Missing, name)
	}
	return m
}

// mayLack is PyTorch's rule for files from before batch norms counted their batches (version 2 of their state).
func (f *File) mayLack(r reading, name string) bool {
	layer, ok := strings.CutSuffix(name, ".num_batches_tracked")
	if !ok {
		return false
	}
	return f.Versions[r.strip+strings.TrimPrefix(layer, r.add)] < 2
}

// reading is a way to get from a file's name to the model's.
type reading struct {
	compiled   bool // torch.compile's part goes
	strip, add string
}

func (r reading) of(name string) string {
	if r.compiled {
		name = strings.ReplaceAll(name, compiled, "")
	}
	rest, ok := strings.CutPrefix(name, r.strip)
	if !ok {
		return name
	}
	return r.add + rest
}

func (r reading) String() string {
	var parts []string
	if r.compiled {
		parts = append(parts, fmt.Sprintf("without %q", compiled))
	}
	if r.strip != "" {
		parts = append(parts, fmt.Sprintf("without the prefix %q", r.strip))
	}
	if r.add != "" {
		parts = append(parts, fmt.Sprintf("with the prefix %q", r.add))
	}
	return strings.Join(parts, ", ")
}

// readings lists those worth a try, the plainest first.
func readings(names, model []string) []reading {
	wraps := []bool{false}
	if slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, compiled) }) {
		wraps = append(wraps, true)
	}
	adds := []string{""}
	if slices.ContainsFunc(model, func(n string) bool { return strings.HasPrefix(n, NetworkPrefix) }) {
		adds = append(adds, NetworkPrefix)
	}
	var out []reading
	for _, strip := range prefixes(names) {
		for _, add := range adds {
			for _, c := range wraps {
				out = append(out, reading{compiled: c, strip: strip, add: add})
			}
		}
	}
	return out
}

// prefixes are "", the first parts of the names, and what longer prefixes all names share.
func prefixes(names []string) []string {
	out := append([]string{""}, heads(names)...)
	shared := ""
	for range maxNested {
		first := heads(names)
		if len(first) != 1 {
			break
		}
		head := first[0]
		shared += head
		if !slices.Contains(out, shared) {
			out = append(out, shared)
		}
		rest := make([]string, len(names))
		for i, n := range names {
			rest[i] = strings.TrimPrefix(n, head)
		}
		names = rest
	}
	return out
}

// maxNested bounds how many prefixes can stand before one another.
const maxNested = 6

// maxHeads bounds how many first parts are tried: a network has few modules at its top.
const maxHeads = 16

// heads are the different first parts of names, with their dot.
func heads(names []string) []string {
	var out []string
	for _, n := range names {
		head, _, ok := strings.Cut(n, ".")
		if ok && !slices.Contains(out, head+".") && len(out) < maxHeads {
			out = append(out, head+".")
		}
	}
	return out
}
