package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// textIDs has a connection take ids as what they are here, texts, and send them as
// PostgreSQL keeps them. Of itself pgx tries that, fails, makes an error of it and
// writes the whole array as text: six times the time, and PostgreSQL has to
// read it.
func textIDs(_ context.Context, conn *pgx.Conn) error {
	registerIDs(conn.TypeMap())
	return nil
}

func registerIDs(m *pgtype.Map) {
	id := &pgtype.Type{Name: "uuid", OID: pgtype.UUIDOID, Codec: idCodec{}}
	m.RegisterType(id)
	m.RegisterType(&pgtype.Type{Name: "_uuid", OID: pgtype.UUIDArrayOID, Codec: &pgtype.ArrayCodec{ElementType: id}})
}

// An idCodec is pgx's own for uuid, and writes texts too.
type idCodec struct{ pgtype.UUIDCodec }

// PlanEncode implements pgtype.Codec.
func (c idCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, v any) pgtype.EncodePlan {
	if _, ok := v.(pgtype.TextValuer); ok && format == pgtype.BinaryFormatCode {
		return textAsID{}
	}
	return c.UUIDCodec.PlanEncode(m, oid, format, v)
}

// textAsID writes a text as the uuid that it spells.
type textAsID struct{}

// Encode implements pgtype.EncodePlan.
func (textAsID) Encode(v any, buf []byte) ([]byte, error) {
	text, err := v.(pgtype.TextValuer).TextValue()
	if err != nil || !text.Valid {
		return nil, err
	}
	id, err := uuid.Parse(text.String)
	if err != nil {
		return nil, err
	}
	return append(buf, id[:]...), nil
}
