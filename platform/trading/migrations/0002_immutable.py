"""The database refuses to change or delete what is written once."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from trading import immutable


def guard(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    immutable.guard(schema_editor.connection)


def unguard(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    immutable.unguard(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
