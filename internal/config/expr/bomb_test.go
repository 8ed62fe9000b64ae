package expr

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// bombs are programs that would take all time, memory or stack there is.
var bombs = []string{
	"while True: pass",
	"def f(): return f()\nf()",
	"def f(x): return g(x) + 1\ndef g(x): return f(x) + 1\nf(1)",
	"def f(x): return sorted([1, 2], key=f)\nf(1)",
	"def f(x): return max([x, x], key=f)\nf(1)",
	"def f(x): return [y for y in map(f, [x])]\nf(1)",
	"def f(x): return call(f, x)\ncall(f, 1)",
	"t = thing()\ndef f(self): return self()\nt.forward = f\nt2 = thing(forward=lambda: t2())\nt2()",
	"f = lambda: f()\nf()",
	"x = []\nwhile True: x.append(x)",
	"x = []\nwhile True: x = [x]",
	"x = []\nwhile True: x += [1, 2, 3]",
	"x = ()\nwhile True: x = (x, x)",
	"x = 'a'\nwhile True: x += x",
	"x = 'a'\nwhile True: x = x + 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' * 1000",
	"x = [0]\nwhile True: x = x + x",
	"x = [0]\nwhile True: x *= 2",
	"x = {}\ni = 0\nwhile True:\n    x[i] = 'a' * 1000\n    i += 1",
	"x = {1}\ni = 0\nwhile True:\n    x.add(i)\n    i += 1",
	"x = 2\nwhile True: x = x * x",
	"x = 2\nwhile True: x **= 2",
	"x = 1\nwhile True: x <<= 1000",
	"x = 10 ** 10 ** 10",
	"x = 'a' * 10 ** 12",
	"x = [0] * 10 ** 12",
	"x = list(range(10 ** 12))",
	"x = [i for i in range(10 ** 12)]",
	"x = sum(range(10 ** 12))",
	"x = 'ab'.join(['c' * 1000] * 10 ** 7)",
	"x = ('a' * 10 ** 6).replace('a', 'b' * 10 ** 6)",
	"x = f'{1:{10 ** 12}}'",
	"x = '%*d' % (10 ** 9, 1)",
	"x = '{:>999999}'.format(1) * 10 ** 6",
	"x = 'a'.ljust(10 ** 12)",
	"x = 'a'.zfill(2 ** 31 - 1)",
	"x = ('\\t' * 10 ** 6).expandtabs(10 ** 6)",
	"s = 'a' * 10 ** 6\nx = []\nwhile True: x.append(s.split('a'))",
	"s = 'a' * 10 ** 6\nx = []\nwhile True: x.append(s.upper())",
	"s = 'a' * 10 ** 6\nx = []\nwhile True: x.append(list(s))",
	"t = tuple(range(10 ** 6))\ndef f(*a): return a\nx = []\nwhile True: x.append(f(*t))",
	"d = {str(i): i for i in range(10 ** 5)}\ndef f(**k): return k\nx = []\nwhile True: x.append(f(**d))",
	"d = {i: i for i in range(10 ** 5)}\nf = d.items\nx = []\nwhile True: x.append(f())",
	"l = list(range(10 ** 6))\nx = []\nwhile True: x.append(l[:])",
	"l = list(range(10 ** 6))\nx = []\nwhile True: x.append(l.copy())",
	"l = list(range(10 ** 6))\nx = []\nwhile True: x.append(sorted(l))",
	"l = list(range(10 ** 6))\nx = []\nwhile True: x.append(list(zip(l, l)))",
	"x = []\nwhile True: x.append(lambda: x)",
	"x = []\nwhile True: x.append({})",
	"x = []\nwhile True: x.append(f'{x[-1:]}')",
	"x = 1\nfor i in range(10 ** 12): x = x * 3 % 7",
	"l = [1]\nfor i in range(60): l = [l, l]\nprint(l)",
	"l = [1]\nfor i in range(60): l = [l, l]\nm = [1]\nfor i in range(60): m = [m, m]\nprint(l == m)",
	"l = (1,)\nfor i in range(60): l = (l, l)\nd = {l: 1}",
	"x = 9 ** 99999\nwhile True: y = str(x)",
	"x = pow(3, 10 ** 300, 10 ** 300 + 1)\nwhile True: x = pow(3, 10 ** 300, 10 ** 300 + 1)",
	"import_ = int('9' * 10 ** 6)",
	"x = [0] * 10 ** 6\nwhile True: x.insert(0, 1)",
	"x = [0] * 10 ** 6\nwhile x: x.remove(0)",
	"x = ['a' * 10 ** 6] * 100\nwhile True: y = x == ['a' * 10 ** 6] * 100",
	"x = 'a' * 10 ** 6\nwhile True: y = ('b' in x)",
	"x = 'a' * 10 ** 6 + 'é'\ni = 0\nwhile True:\n    c = x[i % 10 ** 6] + x[::-1][0]\n    i += 1",
	"def g(): return call(h)\ndef h():\n    for i in range(10 ** 9): pass\nwhile True: g()",
	"def h(): return [0] * 10 ** 6\nx = []\nwhile True: x.append(call(h))",
	"s = set(range(10 ** 6))\nx = []\nwhile True: x.append(s | s)",
	"x = [[]]\nwhile True: x = [x]\n",
	"x = []\nfor i in range(10 ** 6): x = [x]\ndef f(): return x",
	"def f(n):\n    def g(): return f\n    return g\nx = None\nfor i in range(10 ** 6):\n    def k(y=x): return y\n    x = k",
	"b = b'a' * 10 ** 12",
	"x = bytes(10 ** 12)",
	"x = list(b'a' * 10 ** 8) + list(b'a' * 10 ** 8)",
	"x = {i for i in range(10 ** 12)}",
	"print('a' * 10 ** 9)",
	"x = zip(*[range(10 ** 9)] * 10)",
	"x = enumerate(range(10 ** 12))",
	"x = iter([1])\nwhile True: x = map(lambda v: v, x)",
	"x = iter([1])\nfor i in range(10 ** 6): x = map(lambda v: v, x)\nnext(x)",
	"x = iter([1])\nfor i in range(10 ** 6): x = enumerate(x)\nlist(x)",
	"def f(self): raise ValueError(str(self))\nt = thing()\nt.x = t\ncall(f, t)",
	"raise ValueError('a' * 10 ** 12)",
	"d = {}\nd['a'] = d\nx = thing(d=d)\nkinds(d)",
}

// Nothing that a file can say takes much longer than its limit, or much more memory, or the process with it.
func TestBombs(t *testing.T) {
	for _, source := range bombs {
		o := hosted()
		o.Steps, o.Memory = 1_000_000, 16<<20
		runtime.GC()
		start := time.Now()
		_, _, err := runFile(t, o, source)
		if d := time.Since(start); d > 300*time.Millisecond {
			t.Logf("%v: %.60q", d, source)
		}
		if err == nil {
			t.Errorf("%.80s gave no error", source)
		} else if strings.Contains(err.Error(), "internal error") {
			t.Errorf("%.80s: %v", source, err)
		}
	}
}

// A file that is made to be hard to read takes no longer than others of its size.
func TestHostileSources(t *testing.T) {
	for name, source := range map[string]string{
		"elif":        "if 0: pass\n" + strings.Repeat("elif 0: pass\n", 20_000),
		"brackets":    strings.Repeat("[", MaxFile-10),
		"signs":       "x = " + strings.Repeat("-", MaxFile-10),
		"not":         "x = " + strings.Repeat("not ", MaxFile/5) + "1",
		"sum":         "x = 1" + strings.Repeat("+1", MaxFile/3),
		"attributes":  "x = a" + strings.Repeat(".b", MaxFile/3),
		"lines":       strings.Repeat("x=1\n", MaxFile/5),
		"defs":        strings.Repeat("def f(): pass\n", MaxFile/20),
		"semicolons":  strings.Repeat("x=1;", MaxFile/5),
		"pairs":       "x = {" + strings.Repeat("1:2,", MaxFile/5) + "}",
		"list":        "x = [" + strings.Repeat("1,", MaxFile/3) + "]",
		"strings":     "x = (" + strings.Repeat("'a'\n", MaxFile/5) + ")",
		"fields":      "x = f'" + strings.Repeat("{1}", MaxFile/4) + "'",
		"open fields": "x = f'" + strings.Repeat("{ ", MaxFile/3),
		"nested f":    strings.Repeat("f'{", 1000) + strings.Repeat("}'", 1000),
		"comments":    "x = (" + strings.Repeat("#\n", MaxFile/3) + "1)",
		"errors":      strings.Repeat("x = = 1\n", MaxFile/9),
		"unclosed":    strings.Repeat("x = (\n", MaxFile/9),
		"classes":     strings.Repeat("class A: pass\n", MaxFile/20),
		"targets":     strings.Repeat("x = ", MaxFile/5) + "1",
		"unpack":      strings.Repeat("(", MaxFile/3) + "x",
		"names":       strings.Repeat("aa\n", MaxFile/4),
		"deep":        deep(1000),
		"lambdas":     "x = " + strings.Repeat("lambda:", MaxFile/8) + "1",
		"decorators":  strings.Repeat("@len\n", MaxFile/6) + "def f(): pass",
		"parameters":  "def f(" + strings.Repeat("a,", MaxFile/3) + "): pass",
		"arguments":   "x = len(" + strings.Repeat("1,", MaxFile/3) + ")",
	} {
		start := time.Now()
		o := hosted()
		o.Steps, o.Memory = 1_000_000, 64<<20
		_, _, err := runFile(t, o, source)
		if d := time.Since(start); d > time.Second {
			t.Logf("%s: %v", name, d)
		}
		check(t, name, err)
	}
}

func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "if 1:\n")
	}
	return b.String() + strings.Repeat(" ", n) + "x = 1\n"
}
