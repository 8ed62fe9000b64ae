package torchfile

import "testing"

// FuzzReadPickle: no bare pickle makes ReadPickle panic, and the bytes of what it accepts are not more than the pickle's.
func FuzzReadPickle(f *testing.F) {
	// numpy.arange(6, dtype="u1").reshape(2, 3) in a dict, as pickle.dumps(..., 2) of NumPy 1 writes it, and the same of Python 2's text.
	f.Add([]byte("\x80\x02}q\x00X\x01\x00\x00\x00xq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04c_codecs\nencode\nq\x05X\x01\x00\x00\x00bq\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\x09\x87q\x0aRq\x0b(K\x01K\x02K\x03\x86q\x0ccnumpy\ndtype\nq\x0dX\x02\x00\x00\x00u1q\x0e\x89\x88\x87q\x0fRq\x10(K\x03X\x01\x00\x00\x00|q\x11NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\x12b\x89h\x05X\x06\x00\x00\x00\x00\x01\x02\x03\x04\x05q\x13h\x07\x86q\x14Rq\x15tq\x16bs."))
	f.Add([]byte("\x80\x02}U\x01x](K\x01U\x02abe."))
	f.Add([]byte("\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94Nu."))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := ReadPickle(data)
		if err != nil {
			return
		}
		if n := arrayBytes(root, 0); n > 1<<20+2*len(data)*len(data) {
			t.Errorf("%d bytes of arrays in a pickle of %d", n, len(data))
		}
	})
}

// arrayBytes adds up the arrays in a value, each as often as it stands there, as far as a pickle that refers to itself goes.
func arrayBytes(v any, depth int) (n int) {
	if depth > 4 {
		return 0
	}
	switch v := v.(type) {
	case *Array:
		return len(v.Data)
	case []any:
		for _, item := range v {
			n += arrayBytes(item, depth+1)
		}
	case Tuple:
		return arrayBytes([]any(v), depth)
	case *Dict:
		for _, item := range v.All() {
			n += arrayBytes(item, depth+1)
		}
	}
	return n
}
