"""Nothing that either side tells is left out of the comparison in silence."""

import re
import unittest

from hubspot.crm.contacts import Configuration, Filter

from hubkeep.crm.v1 import object_service_pb2
from words import FORMS, OF_MESSAGE, OF_MODEL


class Words(unittest.TestCase):
    def test_every_field_of_either_is_compared_or_is_named_as_one_that_is_not(self):
        for form in FORMS:
            with self.subTest(form.message.__name__):
                told = {name for model in form.models for name in model.openapi_types}
                compared = {path.partition(".")[0] for path in form.same.values()}
                self.assertEqual(compared | form.left_out, told)
                self.assertFalse(compared & form.left_out)
                self.assertEqual(set(form.same), {known.name for known in form.message.DESCRIPTOR.fields})

    def test_nothing_has_two_forms(self):
        self.assertEqual(len(OF_MESSAGE), len(FORMS))
        self.assertEqual(len(OF_MODEL), sum(len(form.models) for form in FORMS))

    def test_hubkeep_has_every_operator_of_hubspot_and_no_other(self):
        validated = Configuration()
        validated.client_side_validation = True
        with self.assertRaises(ValueError) as caught:
            Filter(property_name="email", operator="?", local_vars_configuration=validated)
        operators = re.findall(r"'(\w+)'", str(caught.exception))
        known = [name.removeprefix("FILTER_OPERATOR_") for name in object_service_pb2.FilterOperator.keys()]
        self.assertEqual(sorted(known), sorted(["UNSPECIFIED", *operators]))
