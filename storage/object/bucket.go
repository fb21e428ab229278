package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/layout"
)

type bucketConfig struct {
	host, bucket, access, secret, region string
	tls                                  bool
}

// bucket keeps objects in an S3 bucket. Content gets its key only once its
// hash is known, and If-None-Match makes the server itself refuse to replace
// what is there.
type bucket struct {
	client *minio.Client
	name   string
	spool  string
}

func openBucket(c bucketConfig, dir string) (Store, error) {
	client, err := minio.New(c.host, &minio.Options{
		Creds: credentials.NewStaticV4(c.access, c.secret, ""), Secure: c.tls, Region: c.region,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", c.bucket, err)
	}
	b := &bucket{client: client, name: c.bucket, spool: os.TempDir()}
	if dir != "" {
		b.spool = layout.Spool(dir)
		if err := os.MkdirAll(b.spool, 0o700); err != nil {
			return nil, fmt.Errorf("open bucket %s: %w", c.bucket, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	there, err := client.BucketExists(ctx, c.bucket)
	if err != nil {
		return nil, candor.Errorf(candor.Unavailable, "open bucket %s at %s: %w", c.bucket, c.host, err)
	}
	if there {
		return b, nil
	}
	err = client.MakeBucket(ctx, c.bucket, minio.MakeBucketOptions{Region: c.region})
	if code := minio.ToErrorResponse(err).Code; err != nil && code != minio.BucketAlreadyOwnedByYou {
		return nil, candor.Errorf(candor.Unavailable, "make bucket %s at %s: %w", c.bucket, c.host, err)
	}
	return b, nil
}

func (b *bucket) Put(ctx context.Context, r io.Reader) (string, int64, error) {
	return b.put(ctx, "", r)
}

func (b *bucket) PutExpect(ctx context.Context, sha string, r io.Reader) (int64, error) {
	if err := checkSHA(sha); err != nil {
		return 0, err
	}
	_, size, err := b.put(ctx, sha, r)
	return size, err
}

func (b *bucket) put(ctx context.Context, want string, r io.Reader) (sha string, size int64, err error) {
	defer func() {
		if err != nil {
			sha, size, err = "", 0, fmt.Errorf("put object: %w", err)
		}
	}()
	s, err := spool(ctx, b.spool, r)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, s.drop()) }()
	if want != "" {
		if err := s.expect(want); err != nil {
			return "", 0, err
		}
	}
	opts := minio.PutObjectOptions{ContentType: "application/octet-stream", SendContentMd5: true}
	switch have, err := b.Stat(ctx, s.sha); {
	case err == nil && have == s.size:
		return s.sha, s.size, nil
	case candor.IsKind(err, candor.NotFound):
		opts.SetMatchETagExcept("*")
	case err != nil:
		return "", 0, err
	}
	content, err := s.reader()
	if err != nil {
		return "", 0, err
	}
	_, err = b.client.PutObject(ctx, b.name, layout.ObjectKey(s.sha), content, s.size, opts)
	if err != nil && minio.ToErrorResponse(err).Code == minio.PreconditionFailed {
		err = nil // someone else stored the same bytes meanwhile
	}
	if err != nil {
		return "", 0, unreachable("store "+s.sha, err)
	}
	return s.sha, s.size, nil
}

func (b *bucket) Open(ctx context.Context, sha string) (io.ReadSeekCloser, error) {
	if err := checkSHA(sha); err != nil {
		return nil, err
	}
	o, err := b.client.GetObject(ctx, b.name, layout.ObjectKey(sha), minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("open object %s: %w", sha, err)
	}
	// GetObject asks nothing yet; whether the object exists must be known now.
	if _, err := o.Stat(); err != nil {
		err = b.absent(sha, err)
		if cl := o.Close(); cl != nil {
			err = errors.Join(err, cl)
		}
		return nil, err
	}
	return o, nil
}

func (b *bucket) Stat(ctx context.Context, sha string) (int64, error) {
	if err := checkSHA(sha); err != nil {
		return 0, err
	}
	info, err := b.client.StatObject(ctx, b.name, layout.ObjectKey(sha), minio.StatObjectOptions{})
	if err != nil {
		return 0, b.absent(sha, err)
	}
	return info.Size, nil
}

func (b *bucket) absent(sha string, err error) error {
	if r := minio.ToErrorResponse(err); r.Code == minio.NoSuchKey || r.StatusCode == http.StatusNotFound && r.Code != minio.NoSuchBucket {
		return notFound(sha)
	}
	return unreachable("look at "+sha, err)
}

func unreachable(what string, err error) error {
	if r := minio.ToErrorResponse(err); r.StatusCode >= 500 || r.StatusCode == 0 {
		return candor.Errorf(candor.Unavailable, "object store: %s: %w", what, err)
	}
	return fmt.Errorf("object store: %s: %w", what, err)
}

func (b *bucket) Each(ctx context.Context, f func(string, int64) error) error {
	// The listing goroutine ends with this context when f stops early.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: layout.ObjectPrefix + "/", Recursive: true}) {
		if o.Err != nil {
			return unreachable("list objects", o.Err)
		}
		sha := path.Base(o.Key)
		if !layout.ValidSHA(sha) || o.Key != layout.ObjectKey(sha) {
			continue // someone else's key; nothing refers to it
		}
		if err := f(sha, o.Size); err != nil {
			return err
		}
	}
	return ctx.Err()
}
