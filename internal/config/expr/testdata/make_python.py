"""Writes python.json: expressions and their repr() in Python. Run it in this folder: python3 make_python.py."""
import json
import math

EXPRESSIONS = r"""
1 + 2 * 3
2 ** 3 ** 2
-2 ** 2
(-2) ** 2
2 ** -1
10 // 3, -10 // 3, 10 % 3, -10 % 3
7 / 2
1e-3
0.1 + 0.2
1_000 * 2
0x1F + 0o17 + 0b11
not 1 > 2
1 < 2 < 3
3 > 2 > 2
1 < 3 > 2 == 2
1 == 1.0 == True
True + True
True and 0 or 'x'
None is None
1 is not None
not None is not None
'a' 'b' "c"
'it\'s' + "\n\t\\"
r'\n' + '\x41\u00e9'
'abc'[1] + 'abc'[-1]
'héllo'[1]
'abcdef'[1:4], 'abcdef'[::-1], 'abcdef'[-2:], 'abcdef'[4:1:-2]
[1, 2, 3][0], [1, 2, 3][1:]
[x * 2 for x in range(5) if x % 2 == 0]
[x + y for x, y in zip([1, 2], [3, 4])]
[i for i in range(15) if i % 3 != 2] + [i for i in range(15) if i % 3 == 2]
[[j for j in range(i)] for i in range(4)]
[c for c in 'abc']
{k: v for k, v in [('a', 1), ('b', 2)]}
{'a': 1, **{'b': 2}}
[*range(3), 9]
(1,)
(1, 2) + (3,)
sum(x for x in range(5))
sum([0.5, 1])
max([3, 1, 2]), min(3, 1, 2), max('abc'), max([1, 2], key=lambda x: -x)
sorted([3, 1, 2]), sorted(['b', 'a'], reverse=True), sorted([(2, 'a'), (1, 'b')])
len('héllo'), len([1, 2]), len({'a': 1})
int('12'), int(3.9), int(-3.9), int('ff', 16), int(True)
float('1.5'), float(2), float('inf')
str(1.0), str(1e-5), str(1e16), str(123456789.0), str(True), str(None), str([1, 'a', None])
round(2.5), round(3.5), round(2.675, 2), round(1234, -2), round(1.25, 1)
abs(-3), abs(-2.5), pow(2, 10), divmod(7, 2)
list(enumerate(['a', 'b'])), list(zip([1, 2], 'ab'))
any([0, 1]), all([1, 0]), any([]), all([])
dict(a=1, b=2), dict([('x', 1)])
tuple([1, 2]), list('ab'), set([1])
list(map(lambda x: x + 1, [1, 2])), list(filter(lambda x: x > 1, [1, 2]))
list(reversed([1, 2, 3]))
(lambda x, y=2: x * y)(3)
(lambda *a, **k: len(a) + len(k))(1, 2, z=3)
'yes' if 2 > 1 else 'no'
1 if False else 2 if False else 3
f"{1 + 1}/{'x'}"
f'{3.14159:.2f} {42:05d} {1000000:,} {"a":>4}|{"b":<4}|{"c":^5}|'
f'{0.5:%} {1e-5:g} {123456789.0:g} {255:x} {255:#X} {5:b} {-3:+d} {3:+d}'
f"{'a'!r} {1!s} {{}} {[1, 2]}"
f"{1.5} {1e-07} {100.0} {10**20}"
f'{3.0:.3} {1234.5678:.3e} {1e10:.1f} {0.0:g}'
f"{'nested'[0:2]}{f'{1}'}"
f"{42:{'>'}{6}}"
'a' in 'abc', 'x' not in ['a'], 1 in {1: 2}
'%s-%d' % ('a', 3)
'{}-{}'.format(1, 'b')
','.join(['a', 'b']), 'a,b'.split(','), ' x '.strip(), 'aXa'.replace('a', 'b'), 'abc'.upper()
'7'.zfill(3), 'a'.rjust(3), 'a'.ljust(3, '.'), 'ab'.startswith('a')
{'a': [1, {'b': 2}]}['a'][1]['b']
{'params': [1, 2], 'lr': 0.1 * 2 ** 2}
[] or [1]
3 & 1 | 4 ^ 2, ~5, 1 << 4, 256 >> 2
-(-(-1133 // 32) // 2)
5 * -(-(-7 // 2) // 1)
True == 1, 1 == '1', [1, 2] == [1.0, 2.0], (1, 2) < (1, 3)
10 ** 20, 2 ** 100, 1.5 ** 2, 4 ** 0.5
1 if 'a' else 0
math.sqrt(16), math.pi, math.floor(2.7), math.ceil(2.1), math.log(8, 2), math.log2(8), math.exp(0)
[x for x in [1, 2, 3] if x > 1 if x < 3]
[(i, j) for i in range(2) for j in range(2)]
""".strip().splitlines()

json.dump([[e, repr(eval(e, {"math": math}))] for e in EXPRESSIONS], open("python.json", "w"), indent=0, ensure_ascii=False)
