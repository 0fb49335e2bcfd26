"""Give all products the usual trading hours of their group, or open them around the clock."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from market.hours import READY_MADE
from market.models import Product


class Command(BaseCommand):
    help = "Set the weekly hours of all products: `usual` ones of their group, or `always` open."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("which", choices=["usual", "always"])

    def handle(self, *args: Any, **options: Any) -> None:
        for product in Product.objects.all():
            product.hours = READY_MADE[product.group] if options["which"] == "usual" else ""
            product.save()
            self.stdout.write(f"{product.name:>10}  {product.hours or 'always'}")
