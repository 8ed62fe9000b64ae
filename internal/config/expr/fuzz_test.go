package expr

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter/internal/diag"
)

func FuzzFile(f *testing.F) {
	text, err := os.ReadFile("testdata/programs.json")
	if err != nil {
		f.Fatal(err)
	}
	var programs [][2]string
	if err := json.Unmarshal(text, &programs); err != nil {
		f.Fatal(err)
	}
	for _, p := range programs {
		f.Add(p[0])
	}
	messages, err := os.ReadFile("testdata/messages.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range strings.Split(string(messages), "\n=====\n") {
		source, _, _ := strings.Cut(b, "\n-----\n")
		f.Add(source)
	}
	for _, b := range bombs {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, source string) {
		defer time.AfterFunc(10*time.Second, func() { panic("it takes too long: " + source) }).Stop()
		o := hosted()
		o.Steps, o.Memory, o.Depth = 100_000, 8<<20, 100
		delete(o.Names, "stream")
		_, m, err := runFile(t, o, source)
		if err == nil {
			for _, name := range m.Names() {
				if v, _ := m.Get(name); v != nil {
					if fn, ok := v.(*Function); ok {
						fn.Params()
						_, err = fn.Call([]any{int64(1), "a"}, nil)
						check(t, source, err)
					}
				}
			}
			return
		}
		check(t, source, err)
	})
}

// check says what every error of a file has: a place, and no mistake of the program's own.
func check(t *testing.T, source string, err error) {
	if err == nil {
		return
	}
	var own *InternalError
	if errors.As(err, &own) && !strings.Contains(source, "bug") {
		t.Fatalf("%q: %v\n%s", source, err, own.Stack)
	}
	switch e := err.(type) {
	case diag.List:
		for _, d := range e {
			if d.Msg == "" || d.Pos.Line < 1 && d.Msg != "invalid UTF-8" && !strings.Contains(d.Msg, "null bytes") && !strings.Contains(d.Msg, "has at most") {
				t.Fatalf("%q: no place: %+v", source, d)
			}
		}
	case *Traceback:
		if e.Msg == "" || len(e.Frames) == 0 {
			t.Fatalf("%q: no place: %v", source, err)
		}
	default:
		t.Fatalf("%q: %T %v", source, err, err)
	}
}
