package expr

import (
	"runtime"

	"go.starlark.net/starlark"
)

// Mortal is implemented by hosts whose objects may end while code still holds them, as a tensor does with the scope that owns it.
type Mortal interface {
	// Born says what a new object of this value lives as long as, for Lives; 0 is forever.
	Born(v any) uint64
	Lives(born uint64) bool
	// Keep gives a value a life of its own, which free ends, and says how many bytes it takes.
	Keep(v any) (kept any, bytes int64, free func())
	// Borrow gives a kept value to what runs now, for as long as that runs.
	Borrow(kept any) any
}

var errGone = &Error{
	Msg:  "this tensor was made in an earlier step and is gone",
	Hint: "what lasts is set on an object, `self.total = total`, or put in a list or dict that is; numbers, of .item() and .tolist(), last anywhere",
}

// hosted is the value of an object of the host, for use in what runs now.
func (m *machine) hosted(o *object) (any, error) {
	switch {
	case o.kept:
		v := m.host.(Mortal).Borrow(o.value)
		runtime.KeepAlive(o)
		return v, nil
	case o.born != 0 && !m.host.(Mortal).Lives(o.born):
		return nil, errGone
	}
	return o.value, nil
}

// newObject is an object of the host.
func (m *machine) newObject(v any) *object {
	o := &object{value: v}
	if m.run != nil {
		if h, ok := m.host.(Mortal); ok {
			o.born = h.Born(v)
		}
	}
	return o
}

// Hold gives a value as an object's attribute holds it: [Options.Roots] names it, so that it outlives the call that made it.
func (r *Runtime) Hold(v any) any {
	m := r.machine()
	return m.in(v)
}

// rescued are the values that calls have left behind in lasting places.
type rescued struct {
	scanned map[*starlark.List]int // how far lists have been looked through
	bytes   int64                  // kept since the last collection
}

// Collected is how many bytes of values that may have been dropped bring on a collection: Go's collector does not see them.
const collected = 64 << 20

// rescue gives what can be reached from the roots a life of its own, before what the call made ends.
func (r *Runtime) rescue(h Mortal) {
	s := &r.rescued
	scanned := map[*starlark.List]int{}
	seen := map[starlark.Value]bool{}
	var todo []starlark.Value
	r.o.Roots(func(v any) {
		switch v := v.(type) {
		case *Function:
			todo = append(todo, v.fn)
		case starlark.Value:
			todo = append(todo, v)
		}
	})
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch v := v.(type) {
		case *object:
			r.keep(h, v)
		case starlark.Tuple:
			todo = append(todo, v...)
		case *starlark.List:
			if _, again := scanned[v]; again {
				continue
			}
			from := s.scanned[v]
			if n := v.Len(); from > n || n <= 64 { // elements of a short one may have been replaced
				from = 0
			}
			for i := from; i < v.Len(); i++ {
				todo = append(todo, v.Index(i))
			}
			scanned[v] = v.Len()
		case *starlark.Dict:
			if !seen[v] {
				seen[v] = true
				for _, kv := range v.Items() {
					todo = append(todo, kv[1])
				}
			}
		case *starlark.Function:
			if !seen[v] {
				seen[v] = true
				for i := range v.NumFreeVars() {
					if _, free := v.FreeVar(i); free != nil {
						todo = append(todo, free)
					}
				}
			}
		case *bound:
			todo = append(todo, v.Function, v.self)
		}
	}
	s.scanned = scanned
	if s.bytes > collected {
		s.bytes = 0
		go runtime.GC()
	}
}

// keep gives one object a life of its own, which the collector ends.
func (r *Runtime) keep(h Mortal, o *object) {
	if o.kept || o.born == 0 || !h.Lives(o.born) {
		return
	}
	kept, bytes, free := h.Keep(o.value)
	o.value, o.kept, o.born = kept, true, 0
	r.rescued.bytes += bytes
	runtime.AddCleanup(o, func(free func()) { free() }, free)
}
