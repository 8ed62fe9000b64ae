package expr

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/diag"
)

// runFile runs a source and gives what it prints.
func runFile(t testing.TB, o Options, source string) (string, *Module, error) {
	t.Helper()
	f, err := CompileFile("test.star", source)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	o.Print = func(_ diag.Pos, text string) { b.WriteString(text + "\n") }
	m, err := NewRuntime(o).Run(f)
	return b.String(), m, err
}

func TestFile(t *testing.T) {
	out, m, err := runFile(t, Options{}, `"""Doc."""
# a comment
def f(x: int, y=2, *args, k: "str" = 3, **kw) -> None:
	"""F's doc."""
	if x > 1 and y: return x ** y
	elif x == 1:
		pass
	else:
		for i, (a, *b) in enumerate([(1, 2, 3), "abc"]):
			print(i, a, b)
			if i == 1:
				break
		else:
			print("no")
	n = 0
	while True:
		n += 1
		if n > 5: break
	else:
		n = 100
	return [n, args, kw, k]

a = b = [1, 2]
a += [3]; b[0] += 10
print(a, b, f(2), f(0), f(1, 2, 3, k=4, z=5))
x, (y, z) = 1, (2, 3)
d = {"a": 1, **{"b": [*a, 9]}}
d["b"][1:2] = ["x", "y"]
del d["a"]
print(d, x, y, z, 0 < x < y < z, f"{x:>3}|{d['b'][0]!r}", a[::-1], b is a, 1 @ 2 if False else "no matmul")
def fact(n): return 1 if n < 2 else n * fact(n - 1)
print(fact(20), (lambda *, q=1: q)(q=4), -7 // 2, -7 % 3, True + 1)
print(*[1, 2], 3, sep="-")
`)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out)
	v, _ := m.Get("f")
	f := v.(*Function)
	t.Log(f.Name(), f.Doc(), f.Pos(), f.Params())
	got, err := f.Call([]any{int64(1)}, map[string]any{"q": Tuple{int64(1), "a"}})
	t.Logf("%#v %v", got, err)
	for _, bad := range []string{
		"def f(x):\n    return x.foo\n\ndef g(y):\n  return f(y) + 1\n\ng(3)\n",
		"def f(x, hidden=1): pass\nf(1, hiden=2)\n", "def f(x): pass\nf()", "def f(x): pass\nf(1,2)", "def f(): f()\nf()", "raise ValueError(f'x{1}')", "assert 1 == 2, 'msg'",
		"x = tensr + 1\ny = prnt(1)", "class Net(torch.nn.Module):\n  def f(self):\n    pass\nimport torch\nfrom .block import Block\nwith torch.no_grad():\n  x = 1\ntry:\n  x\nexcept E:\n  y\nglobal a\n(x := 1)\n@foo\ndef f(): yield 1\nx = = 1\nif True:\nx\n",
		"while True: pass", "x = []\nwhile True: x.append(x)", "x = 'a'\nwhile True: x += x", "a, b = 1, 2, 3", "def f():\n  x = (1 +\n\ny = 2\n",
	} {
		_, _, err := runFile(t, Options{Steps: 10_000_000}, bad)
		if l, ok := err.(diag.List); ok {
			var b strings.Builder
			l.Render(&b, diag.Sources{"test.star": []byte(bad)}, false)
			t.Logf("---- %s\n%s", bad, b.String())
			continue
		}
		t.Logf("---- %s\n%v", bad, err)
	}
}
