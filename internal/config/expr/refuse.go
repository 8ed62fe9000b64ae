package expr

import (
	"fmt"
	"strconv"
	"strings"
)

func integer(n int) code { return added(strconv.Itoa(n)) }

// refuse fails at the current token, saying what to write instead.
func (r *rewriter) refuse(hint, format string, args ...any) {
	if r.err == nil {
		r.fail(r.tok.start, max(r.tok.stop-r.tok.start, 1), format, args...)
		r.err.Hint = hint
	}
}

// dunders say what to write instead of a special attribute.
var dunders = map[string]string{
	"__init__": "give the parts to the constructor: torch.nn.Module(forward=forward, fc=torch.nn.Linear(2, 1))",
	"__len__":  "write len(x)", "__getitem__": "write x[i]", "__call__": "write x(...)", "__dict__": "write getattr(x, \"name\")",
}

// allowed are the special attributes that files have.
var allowed = map[string]bool{"__class__": true, "__name__": true, "__qualname__": true, "__doc__": true}

// softKeyword reports whether `match` or `type` begins a statement here and is no name.
func (r *rewriter) softKeyword() bool {
	after := r.scan(r.tok.stop)
	switch after.kind {
	case name:
		switch after.text {
		case "in", "is", "and", "or", "if", "else", "not", "for":
			return false
		}
		return true
	case number, str:
		return true
	}
	if after.kind == op && (after.text == "(" || after.text == "[") && r.tok.text == "match" {
		text, _, _ := strings.Cut(r.source[r.tok.start:], "\n")
		text, _, _ = strings.Cut(text, "#")
		return strings.HasSuffix(strings.TrimSpace(text), ":")
	}
	return false
}

// refuseStatement says what to write instead of a statement that files don't have.
func (r *rewriter) refuseStatement() {
	word := r.tok.text
	after := r.scan(r.tok.stop)
	text, _, _ := strings.Cut(r.source[r.tok.stop:], "\n")
	text, _, _ = strings.Cut(text, "#")
	text = strings.TrimSpace(text)
	switch word {
	case "class":
		r.refuse(classHint(after.text, text), "'class' is not available: a function takes its place")
	case "with":
		r.refuse(withHint(text), "'with' is not available")
	case "try":
		r.refuse("test for the case before it fails: `if key in d:`, `hasattr(x, \"name\")`, `d.get(key)`", "'try' is not available: an error ends the run")
	case "import", "from":
		r.refuse(importHint(word, text), "'%s' is not available: a file sees the program's modules and what it loads", word)
	case "async":
		r.refuse("write a plain function", "'async' is not available")
	case "match":
		r.refuse("write if, elif and else", "'match' is not available")
	case "type":
		r.refuse("leave it out: annotations are not looked at", "'type' is not available")
	}
}

// classForms are what takes the place of a class, by a part of its base's name.
var classForms = []struct{ base, methods, constructor string }{
	{"LighterModule", "its methods as functions", "lighter.LighterModule(training_step=training_step, ...)"},
	{"LightningModule", "its methods as functions", "pytorch_lightning.LightningModule(training_step=training_step, configure_optimizers=configure_optimizers, ...)"},
	{"DataModule", "its methods as functions", "pytorch_lightning.LightningDataModule(setup=setup, train_dataloader=train_dataloader, ...)"},
	{"IterableDataset", "__iter__ as a function next(self, i), which gives sample i and None at the end", "torch.utils.data.IterableDataset(next=next, ...)"},
	{"Dataset", "__len__ and __getitem__ as functions length(self) and getitem(self, i)", "torch.utils.data.Dataset(length=length, getitem=getitem, ...)"},
	{"Callback", "its hooks as functions", "pytorch_lightning.callbacks.Callback(on_train_start=on_train_start, ...)"},
	{"Metric", "its methods as functions update(self, preds, target) and compute(self)", "torchmetrics.Metric(update=update, compute=compute, ...)"},
	{"Function", "forward and backward as functions", "torch.autograd.Function(forward=forward, backward=backward)"},
	{"", "its methods as functions whose first argument is self", "torch.nn.Module(forward=forward, fc=torch.nn.Linear(2, 1))"},
}

// classHint is the function that a class becomes.
func classHint(class, text string) string {
	if class == "" {
		class = "Net"
	}
	_, bases, _ := strings.Cut(text, "(")
	for _, f := range classForms {
		if strings.Contains(bases, f.base) {
			return fmt.Sprintf("write %s, and a function that gives the object:\ndef %s(...):\n    return %s", f.methods, class, f.constructor)
		}
	}
	return ""
}

func withHint(text string) string {
	item := text
	for _, end := range []string{" as ", ":"} {
		if i := strings.LastIndex(item, end); i > 0 {
			item = item[:i]
		}
	}
	switch {
	case strings.HasPrefix(item, "open"):
		return "files are read by the components of the config: give the data as an argument"
	case strings.Contains(item, "autograd.") || strings.Contains(item, "grad") || strings.Contains(item, "inference_mode") || strings.Contains(item, "autocast"):
		return fmt.Sprintf("give it a function: y = %s(f)(x), or y = %s(lambda: self(x))()", item, item)
	}
	return "call the functions one after the other"
}

func importHint(word, text string) string {
	module := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' || c == '(' || c == '\t' })
	if len(module) == 0 {
		return "leave it out"
	}
	top, _, _ := strings.Cut(module[0], ".")
	switch {
	case word == "from" && strings.HasPrefix(module[0], ".") || top == "project":
		path := strings.TrimPrefix(strings.TrimLeft(module[0], "."), "project.")
		names := module[min(2, len(module)):]
		if len(names) == 0 {
			names = []string{"Name"}
		}
		if path == "" || path == "project" { // from . import block
			path, names = names[0], []string{"Name"}
		}
		start := "//"
		if strings.HasPrefix(module[0], ".") && !strings.HasPrefix(module[0], "..") {
			start = ""
		}
		return fmt.Sprintf("write load(%q, %q)", start+strings.ReplaceAll(path, ".", "/")+".star", strings.Trim(names[0], "()"))
	case top == "torch" || top == "torchvision" || top == "torchmetrics" || top == "lighter" || top == "pytorch_lightning" || top == "lightning" || top == "math":
		if word == "from" && len(module) > 2 {
			return fmt.Sprintf("leave it out: %s is there already; write %s.%s, or %s = %s.%s once", top, module[0], module[2], module[2], module[0], module[2])
		}
		if len(module) > 2 && module[1] == "as" {
			return fmt.Sprintf("leave it out: %s is there already; write %s = %s", top, module[2], module[0])
		}
		return fmt.Sprintf("leave it out: %s is there already", top)
	case top == "numpy":
		return "tensors do what arrays do: torch.tensor, torch.load"
	case top == "typing" || top == "__future__" || top == "dataclasses" || top == "collections" || top == "abc":
		return "leave it out: annotations are not looked at"
	case top == "random":
		return "draw with torch: torch.rand, torch.randint, torch.randperm"
	case top == "os" || top == "sys" || top == "pathlib" || top == "time" || top == "datetime" || top == "json" || top == "glob":
		return "what comes from outside is an argument: give it in the config"
	}
	return "the code of another file comes with load(\"//file.star\", \"Name\"); other modules of Python are not there"
}

// missing words the lack of a token.
func (r *rewriter) missing(text string) {
	t := r.tok
	closes := strings.Contains(")]}", text)
	switch {
	case closes && r.nest > 0 && r.nest <= len(r.opened) && (t.kind == end || strings.Contains(r.source[r.opened[r.nest-1]:t.start], "\n")):
		at := r.opened[r.nest-1]
		r.fail(at, 1, "'%s' was never closed", r.source[at:at+1])
	case t.kind == op && t.text == "=":
		r.fail(t.start, 1, "invalid syntax at '='. Maybe you meant '==' instead of '='?")
	case t.kind == op && (t.text == "&" || t.text == "|" || t.text == "!"):
		r.unexpectedInFile()
	case t.kind == newline || t.kind == end:
		r.fail(t.start, 1, "expected '%s' at the end of the line", text)
	case closes:
		r.fail(t.start, t.stop-t.start, "expected '%s', found %q. Perhaps you forgot a comma?", text, r.source[t.start:t.stop])
	default:
		r.fail(t.start, t.stop-t.start, "expected '%s', found %q", text, r.source[t.start:t.stop])
	}
}

// unexpectedInFile words a token that can't stand where it does.
func (r *rewriter) unexpectedInFile() {
	t := r.tok
	switch {
	case (t.kind == end || t.kind == newline) && r.nest > 0 && r.nest <= len(r.opened):
		at := r.opened[r.nest-1]
		r.fail(at, 1, "'%s' was never closed", r.source[at:at+1])
	case t.kind == end || t.kind == newline:
		r.fail(t.start, 1, "invalid syntax: the line ends too early")
	case t.text == ":=" && t.kind == op:
		r.refuse("assign on a line of its own", "':=' is not available")
	case t.text == "yield" && t.kind == name:
		r.available(t)
	case t.text == "else" || t.text == "elif" || t.text == "except" || t.text == "finally":
		r.fail(t.start, t.stop-t.start, "invalid syntax: '%s' without what it belongs to", t.text)
	case t.text == "=" && t.kind == op:
		r.fail(t.start, 1, "invalid syntax at '='. Maybe you meant '==' instead of '='?")
	case t.kind == op && strings.HasPrefix(r.source[t.start:], "&&"), t.kind == op && t.text == "&":
		r.refuse("write and", "invalid syntax at '&'")
	case t.kind == op && t.text == "|":
		r.refuse("write or", "invalid syntax at '|'")
	case t.kind == op && t.text == "!":
		r.refuse("write not", "invalid syntax at '!'")
	case strings.HasSuffix(strings.TrimRight(r.source[:t.start], " "), "print") && (t.kind == name || t.kind == str || t.kind == number):
		r.refuse("write print(...)", "Missing parentheses in call to 'print'")
	case t.kind == name && reserved[t.text]:
		r.fail(t.start, t.stop-t.start, "invalid syntax: '%s' is a word of the language", t.text)
	default:
		r.fail(t.start, t.stop-t.start, "invalid syntax at %q", r.source[t.start:t.stop])
	}
}

// isOwn reports whether a name is one that the source can't use: a special one, or one of the rewriting's.
func (r *rewriter) isOwn(name string) bool {
	switch {
	case !strings.HasPrefix(name, "__") || name == "__" && r.lines:
		return false
	case !r.lines || strings.HasSuffix(name, "__"):
		return true
	}
	return internals[name] != nil || fileBuiltins[name] != nil || name[2] >= '0' && name[2] <= '9'
}

// available refuses names that files don't have.
func (r *rewriter) available(t token) bool {
	switch t.text {
	case "yield":
		r.refuse("return a list, or a function that gives the next item", "'yield' is not available")
	case "await", "async":
		r.refuse("write a plain function", "'%s' is not available", t.text)
	case "load":
		r.refuse("write load(\"//file.star\", \"Name\") on a line of its own, at the top of the file", "'load' is a statement")
	case "super":
		return true
	default:
		if r.isOwn(t.text) {
			r.refuse(dunders[t.text], "name '%s' is not available", t.text)
		}
	}
	return r.err == nil
}
