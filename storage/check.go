package storage

import (
	"context"

	"github.com/candor-archive/candor/storage/verify"
)

// Verify checks the whole archive against its evidence log and changes
// nothing. It may run while others write. Progress, when given, is told how
// many entries and objects were checked of how many known so far.
func (s *Store) Verify(ctx context.Context, dir string, progress func(done, total int64)) (verify.Report, error) {
	return verify.Archive(ctx, verify.Config{DB: s.db.Read, Objects: s.objects, Dir: dir, Progress: progress})
}
