package expr

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lighter-go/lighter/internal/diag"
)

// project is the files of a project for load().
func project(t *testing.T, files map[string]string, o Options) (*Runtime, func(path string) (*Module, error)) {
	var r *Runtime
	done := map[string]*Module{}
	load := func(path string) (*Module, error) {
		if m := done[path]; m != nil {
			return m, nil
		}
		source, ok := files[path]
		if !ok {
			return nil, fmt.Errorf("no file %q", path)
		}
		f, err := CompileFile("proj/"+path, source)
		if err != nil {
			return nil, err
		}
		m, err := r.Run(f)
		if err == nil {
			done[path] = m
		}
		return m, err
	}
	o.Load, o.Root = load, "proj"
	r = NewRuntime(o)
	return r, load
}

func TestLoad(t *testing.T) {
	_, load := project(t, map[string]string{
		"main.star":         "load('//models/net.star', 'Net', width='WIDTH')\nload('util.star', 'twice')\nx = twice(Net(width))\n",
		"util.star":         "def twice(x): return [x, x]\n_hidden = 1\n",
		"models/net.star":   "load('block.star', 'block')\nWIDTH = 4\ndef Net(n): return [block(n)]\n",
		"models/block.star": "load('../util.star', 'twice')\ndef block(n): return twice(n)\n",
		"missing.star":      "load('util.star', 'twise')\n",
		"private.star":      "load('util.star', '_hidden')\n",
		"nofile.star":       "load('nothing.star', 'x')\n",
		"python.star":       "load('models.net', 'Net')\n",
		"outside.star":      "load('../../etc/passwd.star', 'x')\n",
		"absolute.star":     "load('/etc/passwd.star', 'x')\n",
		"broken.star":       "load('bad.star', 'x')\n",
		"bad.star":          "y = 1\nclass Foo: pass\n",
		"fails.star":        "load('raises.star', 'x')\n",
		"raises.star":       "def f(): raise ValueError('no')\nx = f()\n",
	}, Options{})
	m, err := load("main.star")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := m.Get("x")
	if want := []any{[]any{[]any{int64(4), int64(4)}}, []any{[]any{int64(4), int64(4)}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("x = %v", got)
	}
	if names := strings.Join(m.Names(), " "); names != "Net twice width x" {
		t.Errorf("names are %q", names)
	}
	for file, want := range map[string]string{
		"missing.star":  "util.star has no 'twise'\ndid you mean \"twice\"?",
		"private.star":  "_hidden",
		"nofile.star":   `no file "nothing.star"`,
		"python.star":   `"models.net" is no file of code` + "\n" + `did you mean "models/net.star"?`,
		"outside.star":  "is outside the project",
		"absolute.star": "is outside the project",
		"broken.star":   "proj/bad.star:2:1: 'class' is not available",
		"fails.star":    "  proj/fails.star:1:1, in <module>\n    load('raises.star', 'x')\n  proj/raises.star:2:6, in <module>\n    x = f()\n  proj/raises.star:1:10, in f\n    def f(): raise ValueError('no')\ncannot load raises.star: ValueError: no",
	} {
		if _, err := load(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", file, err, want)
		}
	}
	_, err = load("broken.star")
	var list diag.List
	if !errors.As(err, &list) || list[0].Pos.Line != 2 {
		t.Errorf("the problems of a loaded file are not reachable: %v", err)
	}
}

// A function of a file is a value of Go's that keeps what it is.
func TestFunction(t *testing.T) {
	_, m, err := runFile(t, hosted(), "def f(a, b=2, *args, c, d=4, **kw):\n    \"What it does.\"\n    return (a, [b], {'c': c}, {1}, args, kw, None, 2.5, 10 ** 30)\ng = lambda: f\nh = len\n")
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) *Function {
		v, _ := m.Get(name)
		f, ok := v.(*Function)
		if !ok {
			t.Fatalf("%s is a %T", name, v)
		}
		return f
	}
	f := get("f")
	if f.Name() != "f" || f.Doc() != "What it does." || f.Pos().String() != "test.star:1:5" || get("g").Name() != "<lambda>" {
		t.Errorf("%s %q %s", f.Name(), f.Doc(), f.Pos())
	}
	want := []Param{{"a", false, Ordinary}, {"b", true, Ordinary}, {"c", false, KeywordOnly}, {"d", true, KeywordOnly}, {"args", false, VarArgs}, {"kw", false, VarKeywords}}
	if got := f.Params(); !reflect.DeepEqual(got, want) {
		t.Errorf("parameters are %v", got)
	}
	got, err := f.Call([]any{int64(1), "x", int64(3)}, map[string]any{"c": true, "z": Tuple{int64(1)}})
	if err != nil {
		t.Fatal(err)
	}
	result := got.(Tuple)
	if fmt.Sprint(result[8]) != "1"+strings.Repeat("0", 30) {
		t.Errorf("the large integer is %v", result[8])
	}
	if want := (Tuple{int64(1), []any{"x"}, &Dict{[]any{"c"}, []any{true}}, Set{int64(1)}, Tuple{int64(3)}, &Dict{[]any{"z"}, []any{Tuple{int64(1)}}}, nil, 2.5}); !reflect.DeepEqual(result[:8], want) {
		t.Errorf("f gives %v", result)
	}
	back, err := get("g").Call(nil, nil)
	if g, ok := back.(*Function); !ok || !g.Same(f) || err != nil {
		t.Errorf("g gives %v, %v", back, err)
	}
	if call, ok := AsFunc(back); !ok {
		t.Error("a function of a file is no Func")
	} else if _, err := call([]any{int64(1)}, nil); err == nil || !strings.Contains(err.Error(), "f() missing 1 required keyword-only argument: 'c'") {
		t.Errorf("a wrong call gives %v", err)
	}
	h, _ := m.Get("h")
	if n, err := h.(Func)([]any{"abc"}, nil); n != int64(3) || err != nil {
		t.Errorf("a builtin gives %v, %v", n, err)
	}
}

// Calls within calls make one traceback, whose cause and place are there to ask for.
func TestTraceback(t *testing.T) {
	_, m, err := runFile(t, hosted(), "def inner(x):\n    return x.crash()\n\ndef outer(x):\n    y = 1\n    return call(inner, x)\n")
	if err != nil {
		t.Fatal(err)
	}
	v, _ := m.Get("outer")
	_, err = v.(*Function).Call([]any{&vector{[]float64{1}}}, nil)
	const want = "Traceback (most recent call last):\n  test.star:6:16, in outer\n    return call(inner, x)\n  test.star:2:19, in inner\n    return x.crash()\nshapes [2] and [3] don't fit"
	var tb *Traceback
	var op *opError
	if !errors.As(err, &tb) || !errors.As(err, &op) || err.Error() != want || tb.Pos().Line != 2 {
		t.Errorf("%v", err)
	}
}

func TestPrint(t *testing.T) {
	f, err := CompileFile("dir/a.star", "def f():\n    print('x', 1)\n\nprint('top')\nf()\n")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	r := NewRuntime(Options{Print: func(at diag.Pos, text string) { lines = append(lines, at.String()+" "+text) }})
	if _, err := r.Run(f); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines, "|"); got != "dir/a.star:4:6 top|dir/a.star:2:10 x 1" {
		t.Error(got)
	}
}

// What a call may take counts for all that it calls, and the next call starts anew.
func TestLimitsNest(t *testing.T) {
	o := hosted()
	o.Steps = 100_000
	_, m, err := runFile(t, o, "def work(n):\n    for i in range(n): pass\ndef many(n):\n    for i in range(n): call(work, 1000)\n")
	if err != nil {
		t.Fatal(err)
	}
	work, _ := m.Get("work")
	many, _ := m.Get("many")
	for range 50 {
		if _, err := work.(*Function).Call([]any{int64(10_000)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := many.(*Function).Call([]any{int64(5)}, nil); err != nil {
		t.Error(err)
	}
	if _, err := many.(*Function).Call([]any{int64(500)}, nil); err == nil || !strings.Contains(err.Error(), "it takes too long: the limit is 100000 steps") {
		t.Errorf("many calls give %v", err)
	}
	if _, err := work.(*Function).Call([]any{int64(10_000)}, nil); err != nil {
		t.Errorf("after a call that took too long: %v", err)
	}
}

// Functions may be called by many goroutines, each with limits and errors of its own.
func TestConcurrent(t *testing.T) {
	o := hosted()
	o.Steps = 1_000_000
	f, err := CompileFile("test.star", "TABLE = {i: [i, 'x' * i] for i in range(10)}\nV = vec(1, 2)\nIT = iter([1, 2])\ndef f(n):\n    l = [TABLE[i % 10][0] for i in range(n)]\n    if n == 7: raise ValueError(f'{n}')\n    print(n)\n    return call(g, sum(l)) + len(V)\ndef g(x): return x + 1\ndef add(x): TABLE[x] = 1\ndef bomb():\n    while True: pass\ndef after(): return next(IT)\n")
	if err != nil {
		t.Fatal(err)
	}
	var printed sync.Map
	o.Print = func(at diag.Pos, text string) { printed.Store(text, at) }
	m, err := NewRuntime(o).Run(f)
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) *Function { v, _ := m.Get(name); return v.(*Function) }
	fn, add, bomb := get("f"), get("add"), get("bomb")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range int64(40) {
				sum := int64(0)
				for i := range n {
					sum += i % 10
				}
				got, err := fn.Call([]any{n}, nil)
				if n == 7 {
					if err == nil || !strings.HasSuffix(err.Error(), "ValueError: 7") {
						t.Errorf("f(7) gives %v", err)
					}
				} else if got != sum+3 || err != nil {
					t.Errorf("f(%d) = %v, %v", n, got, err)
				}
			}
			if _, err := add.Call([]any{int64(1)}, nil); err == nil || !strings.Contains(err.Error(), "a global of a file can't be changed") {
				t.Errorf("add gives %v", err)
			}
			if _, err := bomb.Call(nil, nil); err == nil {
				t.Error("bomb gives no error")
			}
			if _, err := get("after").Call(nil, nil); err == nil || !strings.Contains(err.Error(), "iterator") {
				t.Errorf("after gives %v", err)
			}
		})
	}
	wg.Wait()
}

// A goroutine that a host's function starts has limits of its own, and one that waits holds up no other.
func TestOtherGoroutine(t *testing.T) {
	o := hosted()
	o.Names["elsewhere"] = Func(func(args []any, _ map[string]any) (v any, err error) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f, _ := AsFunc(args[0])
			v, err = f(nil, nil)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			err = errors.New("it hangs")
		}
		return v, err
	})
	out, _, err := runFile(t, o, "def f(): return 5\nprint(elsewhere(f))\n")
	if out != "5\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}
