"""Count the changes of each section of the configuration apart.

What was counted in one goes on as the providers' count, so that the sum never goes back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "config_versions",
        sa.Column("section", _ID, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("section", name="pk_config_versions"),
    )
    op.execute(
        "INSERT INTO config_versions (section, version) "
        "SELECT 'providers', CAST(value AS BIGINT) FROM facts WHERE name = 'config_version'"
    )
    op.execute("DELETE FROM facts WHERE name = 'config_version'")


def downgrade() -> None:
    op.execute(
        "INSERT INTO facts (name, value) "
        "SELECT 'config_version', CAST(COALESCE(SUM(version), 0) AS TEXT) FROM config_versions"
    )
    op.drop_table("config_versions")
