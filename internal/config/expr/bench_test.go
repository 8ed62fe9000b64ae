package expr

import "testing"

func BenchmarkCall(b *testing.B) {
	for _, c := range []struct {
		name, source string
		args         []any
	}{
		{"empty", "def f(x): return x", []any{int64(1)}},
		{"arithmetic", "def f(x): return x * 2 + 1", []any{int64(1)}},
		{"objects", "def f(x): return (x * 2 + 1).sum()", []any{&vector{[]float64{1, 2}}}},
		{"step", "def f(batch):\n    x, y = batch\n    p = x * 2\n    return {'loss': p + y, 'pred': p}", []any{Tuple{&vector{[]float64{1}}, &vector{[]float64{1}}}}},
		{"nested", "def g(x): return x\ndef f(x): return call(g, x)", []any{int64(1)}},
		{"loop1000", "def f(n):\n    s = 0\n    for i in range(n): s += i * 2\n    return s", []any{int64(1000)}},
		{"while1000", "def f(n):\n    i = 0\n    while i < n: i += 1\n    return i", []any{int64(1000)}},
		{"append1000", "def f(n):\n    l = []\n    for i in range(n): l.append(i)\n    return len(l)", []any{int64(1000)}},
		{"text1000", "s = 'abcdefghij' * 100\nids = {c: i for i, c in enumerate(sorted(set(s)))}\ndef f(n): return len([ids[c] for c in s])", []any{int64(1000)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			_, m, err := runFile(b, hosted(), c.source)
			if err != nil {
				b.Fatal(err)
			}
			v, _ := m.Get("f")
			f := v.(*Function)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Call(c.args, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
