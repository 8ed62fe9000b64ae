package tensor

// #include "script.h"
// #include <stdlib.h>
import "C"

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// Script is a TorchScript module of a file: torch.jit.load. Its tensors are the module's own, held by the scope it was
// loaded in; [Script.Close] frees the rest.
type Script struct {
	p C.lt_script
	// Modules are the root and all modules inside it, parents first, each once.
	Modules []ScriptModule
}

// ScriptModule is one module of a [Script].
type ScriptModule struct {
	Class    string // the class in full, "__torch__.torch.nn.modules.linear.Linear"
	Children []ScriptChild
	// Own holds the parameters and then the buffers.
	Own     []ScriptTensor
	Methods []string
	// Arguments are the names of forward's, self first.
	Arguments []string
	// Training is its mode; Modal says that it has one, which a frozen module has not.
	Training, Modal bool
}

// ScriptChild is a module inside another, by its place in [Script.Modules].
type ScriptChild struct {
	Name   string
	Module int
}

// ScriptTensor is a parameter or buffer. A tensor that several modules share is one handle.
type ScriptTensor struct {
	Name   string
	Value  Tensor
	Buffer bool
}

// LoadScript reads a TorchScript file to a device. Code that could reach beyond the network (files, processes, other machines,
// classes and operators that PyTorch does not have) is refused before any of it runs.
func LoadScript(path string, d Device) *Script {
	c := C.CString(path)
	defer C.free(unsafe.Pointer(c))
	s := &Script{}
	if C.lt_script_load(c, C.int(d.Type), d.index(), &s.p) != 0 {
		panic(scriptError("torch.jit.load"))
	}
	if err := Catch(s.describe); err != nil {
		s.Close()
		panic(err)
	}
	return s
}

// describe reads the buffer of lt_script_describe: a list of the tensors and one of the modules, each a list of its class,
// its children, parameters and buffers (names and indices in turn), its methods, its mode or None, and forward's arguments.
func (s *Script) describe() {
	var out *C.char
	var n C.size_t
	check("torch.jit.load", C.lt_script_describe(s.p, &out, &n))
	results := readResults(out, n)
	tensors := results[0].([]any)
	for _, item := range results[1].([]any) {
		fields := item.([]any)
		m := ScriptModule{Class: fields[0].(string)}
		eachPair(fields[1], func(name string, at int) { m.Children = append(m.Children, ScriptChild{name, at}) })
		for i, buffer := range []bool{false, true} {
			eachPair(fields[2+i], func(name string, at int) {
				m.Own = append(m.Own, ScriptTensor{name, tensors[at].(Tensor), buffer})
			})
		}
		m.Methods, m.Arguments = texts(fields[4]), texts(fields[6])
		m.Training, m.Modal = fields[5].(bool)
		s.Modules = append(s.Modules, m)
	}
}

func texts(list any) []string {
	var out []string
	for _, text := range list.([]any) {
		out = append(out, text.(string))
	}
	return out
}

func eachPair(list any, visit func(name string, at int)) {
	items := list.([]any)
	for i := 0; i < len(items); i += 2 {
		visit(items[i].(string), int(items[i+1].(int64)))
	}
}

// Call runs a method of a module. Arguments and results are as those of [Call], and mappings by name besides, which are
// map[string]any; tuples are lists.
func (s *Script) Call(module int, method string, args []any, kwargs map[string]any) any {
	buf := appendCall(method, args, kwargs)
	var out *C.char
	var n C.size_t
	if C.lt_script_call(s.p, C.int(module), (*C.char)(unsafe.Pointer(unsafe.SliceData(buf))), C.size_t(len(buf)), &out, &n) != 0 {
		panic(scriptError(method))
	}
	results := readResults(out, n)
	if len(results) == 0 {
		return nil
	}
	return results[0]
}

// SetTraining switches one module between training and evaluation, not those inside it.
func (s *Script) SetTraining(module int, on bool) {
	if m := &s.Modules[module]; m.Modal && m.Training != on {
		check("train", C.lt_script_train(s.p, C.int(module), boolC(on)))
		m.Training = on
	}
}

// Save writes the module with its present weights as a TorchScript file.
func (s *Script) Save(path string) {
	c := C.CString(path)
	defer C.free(unsafe.Pointer(c))
	check("torch.jit.save", C.lt_script_save(s.p, c))
}

// Close frees the module. Its tensors stay their scope's.
func (s *Script) Close() {
	if s.p != nil {
		C.lt_script_free(s.p)
		s.p = nil
	}
}

func appendCall(name string, args []any, kwargs map[string]any) []byte {
	buf := binary.LittleEndian.AppendUint32(appendText(nil, name), uint32(len(args)))
	for _, a := range args {
		buf = appendValue(name, buf, a)
	}
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(kwargs)))
	for key, v := range kwargs {
		buf = appendValue(name, appendText(buf, key), v)
	}
	return buf
}

// scriptError keeps of an error what the author of the script needs: the message first, then the lines of the script.
func scriptError(op string) *Error {
	var kind C.int
	full := C.GoString(C.lt_error(&kind))
	e := newError(op, ErrorKind(kind), full)
	e.Msg = scriptMessage(e.Full)
	return e
}

// scriptMessage puts TorchScript's message before its traceback, and of that keeps the places in the source that the file was
// made from; where the file does not tell them, those in the code it holds.
func scriptMessage(full string) string {
	_, trace, found := strings.Cut(full, "Traceback of TorchScript")
	if !found {
		return strings.TrimSpace(full)
	}
	if _, original, ok := strings.Cut(trace, "Traceback of TorchScript, original code (most recent call last):\n"); ok {
		trace = original
	} else {
		_, trace, _ = strings.Cut(trace, "\n")
	}
	var out, file []string
	lines := strings.Split(strings.TrimRight(trace, "\n"), "\n")
	last := 0
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "  File "):
			file = []string{line}
		case strings.Contains(line, "<--- HERE") && i > 0:
			out = append(append(out, file...), lines[i-1], line)
			last, file = i+1, nil
		}
	}
	for last < len(lines) && (lines[last] == "" || lines[last][0] == ' ') { // source after the place
		last++
	}
	msg := strings.TrimPrefix(strings.Join(lines[last:], "\n"), "RuntimeError: ")
	return strings.TrimPrefix(msg, "builtins.") + "\nTraceback of TorchScript (most recent call last):\n" + strings.Join(out, "\n")
}
