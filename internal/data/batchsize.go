package data

// BatchSize is the loader's batch_size; 0 where it gives single samples, or batches of another's.
func (l *loader) BatchSize() int {
	switch {
	case l.single:
		return 0
	case l.batches == nil:
		return l.size
	case l.batches.ends != nil:
		return 0
	}
	return l.batches.size
}
