"""Which products has somebody marked as favourites? Kept with the user, so that every browser shows the same."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import require_browser
from accounts.errors import Code, Refused
from accounts.models import User
from market.models import Favourite, Product

MAX_FAVOURITES = 100
"""More would be a list again, not a choice."""

SESSION_ONLY: list[Any] = [{"session": []}]


class FavouriteRequest(serializers.Serializer[Any]):
    """A product, and whether it is to be a favourite."""

    product = serializers.CharField(max_length=32)
    favourite = serializers.BooleanField()


class Favourites(serializers.Serializer[Any]):
    products = serializers.ListField(child=serializers.CharField(), help_text="Names, the first marked first.")


class FavouritesView(APIView):
    @extend_schema(summary="The products marked as favourites", responses={200: Favourites}, auth=SESSION_ONLY)
    def get(self, request: Request) -> Response:
        return _answer(require_browser(request))

    @extend_schema(
        summary="Mark a product as a favourite, or unmark it",
        request=FavouriteRequest, responses={200: Favourites}, auth=SESSION_ONLY,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        user = require_browser(request)
        wanted = FavouriteRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        favourite_set(user, wanted.validated_data["product"], is_favourite=wanted.validated_data["favourite"])
        return _answer(user)


@transaction.atomic
def favourite_set(user: User, name: str, *, is_favourite: bool) -> None:
    """Mark or unmark a product, whatever it was. Raises `Refused` (UNKNOWN_PRODUCT, TOO_MANY_NAMES)."""
    known = name.isascii() and name.isprintable()  # PostgreSQL does not even take a NUL to compare with
    product = Product.objects.filter(enabled=True, name=name).first() if known else None
    if product is None:
        raise Refused(Code.UNKNOWN_PRODUCT)
    mine = Favourite.objects.filter(user=user)
    if not is_favourite:
        mine.filter(product=product).delete()
    elif not mine.filter(product=product).exists():
        if mine.count() >= MAX_FAVOURITES:
            raise Refused(Code.TOO_MANY_NAMES, f"At most {MAX_FAVOURITES} favourites")
        # Two browsers may mark it at the same moment: the second finds it there.
        Favourite.objects.get_or_create(user=user, product=product)


def _answer(user: User) -> Response:
    names = Favourite.objects.filter(user=user, product__enabled=True).values_list("product__name", flat=True)
    return Response({"products": list(names)})
