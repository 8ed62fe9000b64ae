package data

// BatchSize is the loader's batch_size; 0 where it gives single samples, or batches of another's.
func (l *loader) BatchSize() int {
	if l.single {
		return 0
	}
	return l.batch
}
